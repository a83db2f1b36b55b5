/** A process used up its CPU time or the memory, and may again. The message is for the admin. */
export class OutOfTime extends Error {
  override name = 'OutOfTime'
}
