export { createBufferedWriter as createSink, type BufferedWriter as Sink } from './buffered-writer.ts'
