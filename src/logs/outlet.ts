import { NonBlockingWriter } from './non-blocking-writer.ts'

export type Outlet = NonBlockingWriter
export const createOutlet = (fd: number): Outlet => new NonBlockingWriter(fd)
