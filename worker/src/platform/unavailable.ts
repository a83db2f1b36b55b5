/** Something that the request needs can't be reached now; the request may be tried again. */
export class Unavailable extends Error {
  override name = 'Unavailable'
}
