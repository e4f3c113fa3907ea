/** What the caller did wrong, as an HTTP status and a sentence. */
export class Refusal extends Error {
  constructor(status, message, code = 'invalid_request') {
    super(message);
    this.status = status;
    this.code = code;
  }
}
