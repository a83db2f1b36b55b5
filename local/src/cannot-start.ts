/** Thrown when a person has to do something first; the message is a sentence that says what. */
export class CannotStart extends Error {
  override name = 'CannotStart'
}
