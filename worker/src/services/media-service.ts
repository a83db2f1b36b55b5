import { TrackId } from '@mist/db/contract'
import type { TtlCache } from '../platform/ttl-cache.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { Problem } from '../problem.ts'
import type { TakedownRepo } from '../repos/takedown-repo.ts'
import type { Takedowns } from './takedowns.ts'

/** Keys that the media bucket may give out: ciphertext, clear init segments and covers. */
const PUBLIC_KEY =
  /^tracks\/([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\/([1-9]\d{0,8})\/([a-z0-9]{1,16}\/(?:init\.mp4|\d{1,6}\.m4s)|cover-\d{2,4}\.webp)$/

const CONTENT_TYPES: Record<string, string> = {
  mp4: 'video/mp4',
  m4s: 'video/iso.segment',
  webp: 'image/webp',
}

/** Objects never change under a key, and a segment is noise without its key. */
const IMMUTABLE = 'public, max-age=31536000, immutable'

/** A cover is not encrypted, so a browser asks again after an hour (and gets a 304). */
const COVER = 'public, max-age=3600'

/** How long an object that was found servable is not asked about again; takedowns are heard of anyway. */
const SERVABLE_MS = 10 * 60_000

/** An object that the media bucket may give out. */
export type MediaObject = {
  key: string
  trackId: TrackId
  version: number
  isCover: boolean
  /** For browsers. */
  cacheControl: string
}

const nothing = () => new Problem('not-found', 'There is no such object.')

/** The media bucket behind the edge's cache. */
export function makeMediaService({
  store,
  bucket,
  takedowns,
  tracks,
  servable,
  now,
}: {
  store: ObjectStore
  bucket: string
  takedowns: Takedowns
  tracks: TakedownRepo
  servable: TtlCache<true>
  /** Milliseconds since 1970. */
  now: () => number
}) {
  return {
    /**
     * Reads a path below `media/` as the key of an object; identifiers may be in upper case.
     *
     * @throws Problem not-found for anything but what players and pages ask for
     */
    parse(path: string): MediaObject {
      const found = PUBLIC_KEY.exec(decoded(path))
      if (!found) throw nothing()
      const [, id = '', version = '', rest = ''] = found
      const trackId = TrackId.parse(id.toLowerCase())
      const isCover = rest.startsWith('cover-')
      return {
        key: `tracks/${trackId}/${version}/${rest}`,
        trackId,
        version: Number(version),
        isCover,
        cacheControl: isCover ? COVER : IMMUTABLE,
      }
    },

    /**
     * Refuses what was taken down, though a cache may still have it.
     *
     * @param later runs work after the answer
     * @throws Problem not-found
     */
    async refuseTakenDown(
      object: MediaObject,
      later: (work: Promise<unknown>) => void,
    ): Promise<void> {
      if (await takedowns.has(object, later)) throw nothing()
    },

    /**
     * A whole object with headers that let browsers keep it.
     *
     * @throws Problem not-found where there is none, or its track is no longer shown
     */
    async fetch({ key, trackId, version, isCover, cacheControl }: MediaObject): Promise<Response> {
      const what = `${trackId}/${version}${isCover ? '/cover' : ''}`
      if (servable.get(what) === undefined) {
        if (!(await tracks.isServable(trackId, version, isCover))) throw nothing()
        servable.set(what, true, now() + SERVABLE_MS)
      }
      const object = await store.get(bucket, key)
      if (!object) throw nothing()
      const headers = new Headers({
        'content-type': CONTENT_TYPES[key.split('.').at(-1) ?? ''] ?? 'application/octet-stream',
        'cache-control': cacheControl,
        'accept-ranges': 'bytes',
      })
      for (const name of ['etag', 'content-length', 'last-modified']) {
        const value = object.headers.get(name)
        if (value !== null) headers.set(name, value)
      }
      return new Response(object.body, { headers })
    },
  }
}

/** The path with its escapes undone; an escaped slash parts no segments, so it names nothing. */
function decoded(path: string): string {
  if (!path.includes('%')) return path
  try {
    return /%2f/i.test(path) ? '' : decodeURIComponent(path)
  } catch {
    return ''
  }
}
