/**
 * Cuts a stream of samples into overlapping frames without keeping more than one frame and a bit.
 *
 * Frame n holds samples n·hop … n·hop + size. Nothing is padded in front. `flush` pads the tail
 * with zeros where more than half a hop of it was in no frame yet, so that a sound shorter than
 * one frame still makes one.
 *
 * @param onFrame called with a buffer and the offset of the frame in it; both are only valid during
 * the call
 */
export function makeFramer({
  size,
  hop,
  onFrame,
}: {
  size: number
  hop: number
  onFrame: (buffer: Float32Array, from: number) => void
}) {
  const buffer = new Float32Array(size + Math.max(size, 8192))
  let start = 0
  let end = 0
  let frames = 0

  function push(samples: Float32Array): void {
    let read = 0
    while (read < samples.length) {
      if (end === buffer.length) {
        buffer.copyWithin(0, start, end)
        end -= start
        start = 0
      }
      const count = Math.min(samples.length - read, buffer.length - end)
      buffer.set(samples.subarray(read, read + count), end)
      read += count
      end += count
      while (end - start >= size) {
        onFrame(buffer, start)
        frames++
        start += hop
      }
    }
  }

  return {
    push,
    /** Emits the last, zero-padded frame, if there is one. */
    flush(): void {
      const fresh = frames === 0 ? end : end - start - (size - hop)
      if (fresh > 0 && (frames === 0 || fresh > hop / 2)) {
        push(new Float32Array(size - (end - start)))
      }
    },
  }
}
