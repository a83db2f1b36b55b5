import type { ObjectStore } from '../platform/object-store.ts'
import { Problem } from '../problem.ts'

/** Keys that the media bucket may give out: ciphertext, clear init segments and covers. */
const PUBLIC_KEY =
  /^tracks\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\/[1-9]\d{0,9}\/(?:[a-z0-9]{1,16}\/(?:init\.mp4|\d{1,6}\.m4s)|cover-\d{2,4}\.webp)$/

const CONTENT_TYPES: Record<string, string> = {
  mp4: 'video/mp4',
  m4s: 'video/iso.segment',
  webp: 'image/webp',
}

/** The media bucket behind the edge's cache. Objects never change under a key. */
export function makeMediaService({ store, bucket }: { store: ObjectStore; bucket: string }) {
  return {
    /**
     * A whole object with headers that let every cache keep it.
     *
     * @throws Problem not-found for anything but what players and pages ask for
     */
    async fetch(key: string): Promise<Response> {
      const object = PUBLIC_KEY.test(key) ? await store.get(bucket, key) : null
      if (!object) throw new Problem('not-found', 'There is no such object.')
      const headers = new Headers({
        'content-type': CONTENT_TYPES[key.split('.').at(-1) ?? ''] ?? 'application/octet-stream',
        'cache-control': 'public, max-age=31536000, immutable',
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
