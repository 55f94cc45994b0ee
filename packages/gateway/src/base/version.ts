/** The version of this gate, as clients, upstreams and the CLI are told it. */
export const VERSION = '0.1.0'
