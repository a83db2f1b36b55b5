/**
 * Genres that ID3v1 numbers: 0…79 by its author, the rest by Winamp.
 * (id3.org, "ID3v1", and the list of Winamp 5.6)
 */
const NUMBERED = (
  'Blues|Classic Rock|Country|Dance|Disco|Funk|Grunge|Hip-Hop|Jazz|Metal|New Age|Oldies|Other|Pop|' +
  'R&B|Rap|Reggae|Rock|Techno|Industrial|Alternative|Ska|Death Metal|Pranks|Soundtrack|' +
  'Euro-Techno|Ambient|Trip-Hop|Vocal|Jazz+Funk|Fusion|Trance|Classical|Instrumental|Acid|House|' +
  'Game|Sound Clip|Gospel|Noise|Alternative Rock|Bass|Soul|Punk|Space|Meditative|' +
  'Instrumental Pop|Instrumental Rock|Ethnic|Gothic|Darkwave|Techno-Industrial|Electronic|' +
  'Pop-Folk|Eurodance|Dream|Southern Rock|Comedy|Cult|Gangsta|Top 40|Christian Rap|Pop/Funk|' +
  'Jungle|Native American|Cabaret|New Wave|Psychedelic|Rave|Showtunes|Trailer|Lo-Fi|Tribal|' +
  'Acid Punk|Acid Jazz|Polka|Retro|Musical|Rock & Roll|Hard Rock|Folk|Folk-Rock|National Folk|' +
  'Swing|Fast Fusion|Bebop|Latin|Revival|Celtic|Bluegrass|Avantgarde|Gothic Rock|' +
  'Progressive Rock|Psychedelic Rock|Symphonic Rock|Slow Rock|Big Band|Chorus|Easy Listening|' +
  'Acoustic|Humour|Speech|Chanson|Opera|Chamber Music|Sonata|Symphony|Booty Bass|Primus|' +
  'Porn Groove|Satire|Slow Jam|Club|Tango|Samba|Folklore|Ballad|Power Ballad|Rhythmic Soul|' +
  'Freestyle|Duet|Punk Rock|Drum Solo|A Cappella|Euro-House|Dancehall|Goa|Drum & Bass|' +
  'Club-House|Hardcore|Terror|Indie|Britpop|Afro-Punk|Polsk Punk|Beat|Christian Gangsta Rap|' +
  'Heavy Metal|Black Metal|Crossover|Contemporary Christian|Christian Rock|Merengue|Salsa|' +
  'Thrash Metal|Anime|J-Pop|Synthpop|Abstract|Art Rock|Baroque|Bhangra|Big Beat|Breakbeat|' +
  'Chillout|Downtempo|Dub|EBM|Eclectic|Electro|Electroclash|Emo|Experimental|Garage|Global|IDM|' +
  'Illbient|Industro-Goth|Jam Band|Krautrock|Leftfield|Lounge|Math Rock|New Romantic|Nu-Breakz|' +
  'Post-Punk|Post-Rock|Psytrance|Shoegaze|Space Rock|Trop Rock|World Music|Neoclassical|' +
  'Audiobook|Audio Theatre|Neue Deutsche Welle|Podcast|Indie Rock|G-Funk|Dubstep|Garage Rock|' +
  'Psybient'
).split('|')

/** A genre whose name has commas in it: Discogs' style of writing, also as a part of a longer list. */
const FOLK_WORLD_COUNTRY = /folk,\s*world,?\s*(?:&|and)\s*country/i

/**
 * Reads the genres that one value of a tag names: `(4)Eurodisco`, `17`, `(RX)`, `Jazz/Funk`,
 * `Rock; Pop`. A number is read as one only where it stands alone or in leading parentheses: "80s",
 * "8-bit" and "Rock (Live)" are genres as they are written.
 *
 * @param isList the format has told each genre by itself, so that nothing is split any more
 */
export function readGenres(value: string, isList: boolean): string[] {
  const genres: string[] = []
  let rest = value.trim()
  for (;;) {
    const code = /^\((\d{1,3}|RX|CR)\)/.exec(rest)
    if (code === null) break
    genres.push(numbered(code[1]!) ?? code[0])
    rest = rest.slice(code[0].length)
  }
  // A text that starts with a parenthesis of its own has it doubled (ID3v2.3 §4.2.1, TCON).
  if (rest.startsWith('((')) rest = rest.slice(1)
  const names = isList ? [rest] : splitGenres(rest)
  genres.push(...names.map((name) => numbered(name.trim()) ?? name))
  return genres
}

function numbered(code: string): string | null {
  if (code === 'RX') return 'Remix'
  if (code === 'CR') return 'Cover'
  return /^\d{1,3}$/.test(code) ? (NUMBERED[Number(code)] ?? null) : null
}

function splitGenres(line: string): string[] {
  const whole = FOLK_WORLD_COUNTRY.exec(line)
  if (whole !== null) {
    const end = whole.index + whole[0].length
    return [...splitGenres(line.slice(0, whole.index)), whole[0], ...splitGenres(line.slice(end))]
  }
  const parts = line.split(/[;/,]|\r?\n/)
  // "Stage, Screen, & Musical": the commas belong to one name.
  const isOneName = parts.some((part) => /^\s*(?:&|and\s)/i.test(part))
  return isOneName ? line.split(/;|\r?\n/) : parts
}
