import { AlbumId, ArtistId, newId } from '@mist/db/contract'
import { makeTrack } from '@mist/db/testing/factories'
import type { ListeningSession } from '../contract/listening.ts'
import type { UploadTicket } from '../contract/uploads.ts'
import type { makeTestApi } from './api.ts'

/** Kinds of callers, by what has happened since they got their access token. */
export const CALLERS = [
  'anonymous',
  'listener',
  'other listener',
  'admin',
  'blocked',
  'demoted',
  'signed out',
] as const
export type Caller = (typeof CALLERS)[number]

type Api = ReturnType<typeof makeTestApi>

/**
 * One caller of each kind, with the tokens from before anything happened: all play `trackId`, only the other
 * listener plays another track. The things are the listener's (`sessionId`, and `authSessionId`, another
 * auth session) and the admin's, who has announced a file.
 */
export async function makeCallers(api: Api) {
  const [listener, other, admin, blocked, demoted, signedOut] = await Promise.all([
    api.signIn(),
    api.signIn(),
    api.signIn({ role: 'admin' }),
    api.signIn(),
    api.signIn({ role: 'admin' }),
    api.signIn(),
  ])
  const device = await api.signInAgain(listener.userId)
  const { trackId } = await makeTrack(api.db)
  const [artistId, albumId] = [newId(ArtistId), newId(AlbumId)]
  await api.db.$client`insert into artists (id, name) values (${artistId}, ${artistId})`
  await api.db
    .$client`insert into albums (id, title, artist_id) values (${albumId}, 'Album', ${artistId})`
  await api.db.$client`update tracks set album_id = ${albumId} where id = ${trackId}`
  await api.db
    .$client`insert into track_artists (track_id, artist_id, position) values (${trackId}, ${artistId}, 0)`
  const { trackId: otherTrackId } = await makeTrack(api.db)
  const play = async ({ token }: { token: string }, track = trackId): Promise<ListeningSession> => {
    const started = await api.call('POST', 'listening-sessions', {
      body: { trackId: track },
      bearer: token,
    })
    if (started.status !== 201) throw new Error(await started.text())
    return started.json()
  }
  const session = await play(listener)
  const sessionTokens: Record<Caller, string | null> = {
    anonymous: null,
    listener: session.token,
    'other listener': (await play(other, otherTrackId)).token,
    admin: (await play(admin)).token,
    blocked: (await play(blocked)).token,
    demoted: (await play(demoted)).token,
    'signed out': (await play(signedOut)).token,
  }
  const announced = await api.call('POST', 'uploads', {
    body: { filename: 'one.flac', sizeBytes: 1000, contentType: 'audio/flac' },
    bearer: admin.token,
  })
  if (announced.status !== 201) throw new Error(await announced.text())
  const upload = await announced.json<UploadTicket>()

  const { $client: sql } = api.db
  await sql`update users set blocked_at = now() where id = ${blocked.userId}`
  await sql`update users set role = 'user' where id = ${demoted.userId}`
  await sql`update refresh_families set revoked_at = now(), revoked_reason = 'logout'
            where id = ${signedOut.familyId}`

  const tokens: Record<Caller, string | null> = {
    anonymous: null,
    listener: listener.token,
    'other listener': other.token,
    admin: admin.token,
    blocked: blocked.token,
    demoted: demoted.token,
    'signed out': signedOut.token,
  }
  return {
    tokens,
    sessionTokens,
    things: {
      trackId,
      artistId,
      albumId,
      sessionId: session.id,
      authSessionId: device.familyId,
      uploadId: upload.uploadId,
      jobId: upload.jobId,
      userId: listener.userId,
    },
  }
}

export type Callers = Awaited<ReturnType<typeof makeCallers>>
