const utf8 = new TextDecoder('utf-8', { fatal: true })
const cyrillic = new TextDecoder('windows-1251')
const western = new TextDecoder('windows-1252')

/**
 * Decodes text whose encoding nobody states, or states truthfully: Latin-1 frames of ID3v2, ID3v1,
 * and chunks of RIFF and AIFF. UTF-8 where it is valid; else the likelier of Windows-1251 and
 * Windows-1252, of which Latin-1 is a part. Text of formats that are UTF-8 by definition must not
 * come here: `ÆØÅ` would be at risk for nothing.
 */
export function decodeLegacy(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    return isLikelyCyrillic(bytes) ? cyrillic.decode(bytes) : western.decode(bytes)
  }
}

/** The same for text that was decoded as Latin-1, in which every character is one byte. */
export function redecodeLatin1(text: string): string {
  return decodeLegacy(Buffer.from(text, 'latin1'))
}

/** Æ Ø Å Ä Ö, large and small. In Windows-1251 they are ж, ш, е, д and ц, which spell few words. */
const NORDIC_ONLY = /^[A-Za-z\u00c4-\u00c6\u00d6\u00d8\u00e4-\u00e6\u00f6\u00f8]+$/

/**
 * In Russian text in Windows-1251 nearly every letter is at 0xC0 or above and they come in whole
 * words; in Western text in Latin-1 such letters are few and far between.
 */
function isLikelyCyrillic(bytes: Uint8Array): boolean {
  const words = Buffer.from(bytes)
    .toString('latin1')
    .match(/[A-Za-z\u00a8\u00b8\u00c0-\u00ff]+/g)
  const letters = words?.join('') ?? ''
  if (NORDIC_ONLY.test(letters)) return false
  const high = letters.match(/[\u00a8\u00b8\u00c0-\u00ff]/g)?.length ?? 0
  const wholeWords = words?.some((word) => /^[\u00a8\u00b8\u00c0-\u00ff]{3,}$/.test(word)) ?? false
  return wholeWords && high >= letters.length * 0.4
}
