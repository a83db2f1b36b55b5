import { makeRandom, type Random } from '../lib/random.ts'
import { KNOWN } from './known-names.ts'
import { makeName, pickTongue } from './make-name.ts'
import type { Script, Tongue } from './tongues/tongue.ts'

type NamedArtist = { id: string; name: string; script: Script }

type NamedTrack = {
  id: string
  title: string
  script: Script
  artists: { id: string; name: string; role: 'main' | 'featured' }[]
  discNumber: number
  trackNumber: number
  durationS: number
  tempoBpm: number
  genres: string[]
  /** How often it was played, by a power law. */
  plays: number
}

type NamedAlbum = {
  id: string
  title: string
  script: Script
  artist: NamedArtist
  kind: 'album' | 'ep' | 'single' | 'compilation'
  year: number
  tracks: NamedTrack[]
}

/** An artist who is new, or known already, and albums that are new. */
export type Discography = { artist: NamedArtist; isNew: boolean; albums: NamedAlbum[] }

const GENRES =
  `Rock Pop Jazz Electronic Classical Folk Hip-Hop Soul Metal Blues Ambient Country Punk Funk
  Reggae House Techno Latin Indie Disco Soundtrack Gospel Ska Dub Trance Chanson Samba Flamenco Bebop
  Shoegaze`.split(/\s+/)

/** How many tracks and artists back a cover, a guest or a compilation may reach. */
const REMEMBERED = 2000

const SHARES = {
  /** Tracks with a guest. */
  guest: 0.1,
  /** Tracks that are another recording of the one before: near-duplicates. */
  variant: 0.06,
  /** Tracks that bear the title of somebody else's. */
  cover: 0.03,
  /** Artists whose name is nearly another's. */
  nearArtist: 0.03,
  /** Albums called like their artist, or like their first track. */
  selfTitled: 0.08,
  titleTrack: 0.3,
  /** Discographies followed by a compilation of tracks that exist already: duplicates. */
  compilation: 0.03,
}

/**
 * Makes a catalogue of plausible names, artist by artist, in several scripts, with duplicates and
 * near-duplicates. The same seed makes the same one, and a larger one begins with the smaller one.
 */
export function* makeCatalogue({
  seed,
  tracks: wanted,
}: {
  seed: number
  tracks: number
}): Generator<Discography> {
  const random = makeRandom(seed)
  const newId = makeIds(random)
  const various: NamedArtist = { id: newId(), name: 'Various Artists', script: 'latin' }
  const lastTracks: NamedTrack[] = []
  const lastArtists: NamedArtist[] = []
  const names = new Set(KNOWN.map(({ artist }) => artist.toLowerCase()))
  const remember = <T>(list: T[], item: T) => {
    if (list.length < REMEMBERED) list.push(item)
    else list[random.below(REMEMBERED)] = item
  }
  let made = 0

  yield { artist: various, isNew: true, albums: [] }
  for (const { artist: name, script, titles } of KNOWN) {
    const artist: NamedArtist = { id: newId(), name, script }
    const [first = name] = titles
    const album = newAlbum(first, artist, 'album')
    album.tracks = titles.map((title, index) => newTrack(title, artist, index))
    made += album.tracks.length
    yield { artist, isNew: true, albums: [album] }
  }

  while (made < wanted) {
    const tongue = pickTongue(random)
    const artist = newArtist(tongue)
    const albums: NamedAlbum[] = []
    const titles = { albums: new Set<string>(), tracks: new Set<string>() }
    do albums.push(fullAlbum(tongue, artist, titles))
    while (random.chance(0.55) && albums.length < 12)
    for (const { tracks } of albums) {
      made += tracks.length
      for (const track of tracks) remember(lastTracks, track)
    }
    remember(lastArtists, artist)
    yield { artist, isNew: true, albums }

    if (random.chance(SHARES.compilation) && lastTracks.length > 100) {
      const title = firstNew(
        names,
        () => `${makeName(random, tongue, tongue.titles)} ${1970 + random.below(55)}`,
      )
      const album = newAlbum(title, various, 'compilation')
      album.tracks = Array.from({ length: 12 + random.below(8) }, (_, index) => ({
        ...random.pick(lastTracks),
        id: newId(),
        trackNumber: index + 1,
        plays: newPlays(),
      }))
      made += album.tracks.length
      yield { artist: various, isNew: false, albums: [album] }
    }
  }

  function newArtist(tongue: Tongue): NamedArtist {
    const { script } = tongue
    const alike = lastArtists.filter((artist) => artist.script === script)
    const name = firstNew(names, () =>
      random.chance(SHARES.nearArtist) && alike.length > 0
        ? nearName(random, random.pick(alike))
        : makeName(random, tongue, tongue.artists),
    )
    return { id: newId(), name, script }
  }

  function newAlbum(title: string, artist: NamedArtist, kind: NamedAlbum['kind']): NamedAlbum {
    const { script } = artist
    return {
      id: newId(),
      title,
      script,
      artist,
      kind,
      year: 2026 - Math.floor(60 * random.next() ** 2),
      tracks: [],
    }
  }

  function fullAlbum(
    tongue: Tongue,
    artist: NamedArtist,
    used: Record<'albums' | 'tracks', Set<string>>,
  ): NamedAlbum {
    const kind = random.pick(['album', 'album', 'album', 'ep', 'single'] as const)
    const count = {
      album: 8 + random.below(8),
      ep: 4 + random.below(3),
      single: 1 + random.below(2),
    }[kind]
    const genres = random.chance(0.3)
      ? [random.pickEarly(GENRES), random.pickEarly(GENRES)]
      : [random.pickEarly(GENRES)]
    const tracks: NamedTrack[] = []
    while (tracks.length < count) {
      const before = tracks.at(-1)
      const title = firstNew(used.tracks, () => newTitle(tongue, before))
      const track = newTrack(title, artist, tracks.length)
      track.genres = [...new Set(genres)]
      if (random.chance(SHARES.guest) && lastArtists.length > 0) {
        const { id, name } = random.pick(lastArtists)
        if (id !== artist.id) track.artists.push({ id, name, role: 'featured' })
      }
      tracks.push(track)
    }
    const first = tracks[0]!.title
    const title = firstNew(used.albums, (isFirst) => {
      if (isFirst && (kind === 'single' || random.chance(SHARES.titleTrack))) return first
      if (isFirst && random.chance(SHARES.selfTitled)) return artist.name
      return makeName(random, tongue, tongue.titles)
    })
    return { ...newAlbum(title, artist, kind), tracks }
  }

  function newTitle(tongue: Tongue, before: NamedTrack | undefined): string {
    if (before && random.chance(SHARES.variant))
      return `${before.title} ${random.pick(tongue.variants)}`
    if (lastTracks.length > 0 && random.chance(SHARES.cover)) return random.pick(lastTracks).title
    return makeName(random, tongue, tongue.titles)
  }

  function newTrack(title: string, artist: NamedArtist, index: number): NamedTrack {
    return {
      id: newId(),
      title,
      script: artist.script,
      artists: [{ id: artist.id, name: artist.name, role: 'main' }],
      discNumber: 1,
      trackNumber: index + 1,
      durationS: 60 + Math.round(3000 * random.next() ** 2) / 10,
      tempoBpm: Math.round(600 + 1400 * random.next()) / 10,
      genres: [random.pickEarly(GENRES)],
      plays: newPlays(),
    }
  }

  /** A Pareto distribution: most tracks a few times, a handful a hundred thousand times. */
  function newPlays(): number {
    return Math.min(1_000_000, Math.floor(2 * (1 - random.next()) ** -1.1))
  }
}

/** Makes names until one is new, whatever its case; after some tries it gets a number. */
function firstNew(used: Set<string>, make: (isFirst: boolean) => string): string {
  for (let tries = 0; ; tries++) {
    const name = tries < 10 ? make(tries === 0) : `${make(false)} ${tries}`
    if (used.has(name.toLowerCase())) continue
    used.add(name.toLowerCase())
    return name
  }
}

/** Another name that a person would easily take for it. */
function nearName(random: Random, { name, script }: NamedArtist): string {
  const letters = Array.from(name)
  const shorter = letters.toSpliced(1 + random.below(letters.length), 1).join('')
  if (script !== 'latin') return letters.length > 4 && random.chance(0.5) ? shorter : `${name} 2`
  return random.pick([
    name.startsWith('The ') ? name.slice(4) : `The ${name}`,
    `${name} Trio`,
    `${name} & Friends`,
    letters.length > 4 ? shorter : `${name} II`,
  ])
}

/** Identifiers that look like UUIDv7 and rise, as those of a real catalogue do. */
function makeIds(random: Random): () => string {
  let count = 0
  const hex = (digits: number) =>
    Math.floor(random.next() * 16 ** digits)
      .toString(16)
      .padStart(digits, '0')
  return () => {
    const at = (1_700_000_000_000 + 60_000 * count++).toString(16).padStart(12, '0')
    return `${at.slice(0, 8)}-${at.slice(8)}-7${hex(3)}-8${hex(3)}-${hex(6)}${hex(6)}`
  }
}
