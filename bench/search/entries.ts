import type { Discography } from '../names/make-catalogue.ts'
import type { Script } from '../names/tongues/tongue.ts'

export const ENTRY_TYPES = ['tracks', 'artists', 'albums'] as const
export type EntryType = (typeof ENTRY_TYPES)[number]

/** Something that can be found. */
export type Entry = {
  id: string
  /** Title or name. */
  name: string
  /** Whose it is; of an artist, none. */
  artists: string[]
  script: Script
}

export type Entries = Record<EntryType, Entry[]>

/** All that can be found in a catalogue. */
export function entriesOf(catalogue: Iterable<Discography>): Entries {
  const entries: Entries = { tracks: [], artists: [], albums: [] }
  for (const { artist, isNew, albums } of catalogue) {
    if (isNew) entries.artists.push({ ...artist, artists: [] })
    for (const { id, title, script, artist: by, tracks } of albums) {
      entries.albums.push({ id, name: title, script, artists: [by.name] })
      for (const track of tracks)
        entries.tracks.push({
          id: track.id,
          name: track.title,
          script: track.script,
          artists: track.artists.map(({ name }) => name),
        })
    }
  }
  return entries
}
