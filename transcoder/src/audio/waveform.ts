/** Number of bins in a finished waveform. */
export const WAVEFORM_BINS = 1000

/**
 * Makes a collector of a track's peak envelope with memory independent of its length.
 *
 * Peaks are kept per block of a power-of-two number of samples; whenever the store is full,
 * neighbours merge and the blocks double. At the end the blocks are spread over a fixed number of
 * bins.
 */
export function makeWaveform() {
  // At least four blocks for each bin, so that the bins' borders lie within a quarter of a bin.
  const blocks = new Float32Array(8 * WAVEFORM_BINS)
  let blockSize = 1
  let count = 0
  let filled = 0
  let peak = 0

  function closeBlock(): void {
    blocks[count++] = peak
    peak = 0
    filled = 0
    if (count < blocks.length) return
    count /= 2
    for (let i = 0; i < count; i++) blocks[i] = Math.max(blocks[2 * i]!, blocks[2 * i + 1]!)
    blockSize *= 2
  }

  return {
    push(samples: Float32Array): void {
      for (let i = 0; i < samples.length; i++) {
        const level = Math.abs(samples[i]!)
        if (level > peak) peak = level
        if (++filled === blockSize) closeBlock()
      }
    },
    /** Answers {@link WAVEFORM_BINS} absolute peaks, linear, 255 for full scale and above. */
    finish(): Uint8Array {
      if (filled > 0) blocks[count++] = peak
      const waveform = new Uint8Array(WAVEFORM_BINS)
      if (count === 0) return waveform
      for (let bin = 0; bin < WAVEFORM_BINS; bin++) {
        const from = Math.floor((bin * count) / WAVEFORM_BINS)
        const to = Math.max(from + 1, Math.floor(((bin + 1) * count) / WAVEFORM_BINS))
        let highest = 0
        for (let i = from; i < to; i++) highest = Math.max(highest, blocks[i]!)
        waveform[bin] = Math.min(255, Math.round(highest * 255))
      }
      return waveform
    },
  }
}
