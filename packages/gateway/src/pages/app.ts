/** Where a request for a page came from, which the request itself cannot say. */
export interface Arrival {
  readonly address: string
  readonly requestId: string
}

/** A part of the gate that people use with a browser. Never rejects: what fails is a page, too. */
export interface PageApp {
  fetch(request: Request, from: Arrival): Promise<Response>
}
