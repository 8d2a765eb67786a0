/** Replaced by the version of the package when it is built; from source it says so. */
declare const PRODSERVER_VERSION: string | undefined
export const VERSION: string = typeof PRODSERVER_VERSION === 'string' ? PRODSERVER_VERSION : '0.0.0-source'
