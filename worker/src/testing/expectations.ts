import type { ProblemCode } from '@mist/db/contract'
import type { Caller } from './callers.ts'

/** What a caller is answered: a status, or the code of a refusal. */
type Answer = 200 | 201 | 202 | 204 | ProblemCode

export type Expectation = Record<Caller, Answer>

const anyone = (answer: Answer): Expectation => ({
  anonymous: answer,
  listener: answer,
  'other listener': answer,
  admin: answer,
  blocked: answer,
  demoted: answer,
  'signed out': answer,
})

/** For users who are signed in now; all but the owner of what is asked for may be answered otherwise. */
const listeners = (owner: Answer, others: Answer = owner): Expectation => ({
  anonymous: 'signed-out',
  listener: owner,
  'other listener': others,
  admin: others,
  blocked: 'account-blocked',
  // The token says more than is true: renewed, it is a listener's.
  demoted: 'signed-out',
  'signed out': 'signed-out',
})

const admins = (answer: Answer): Expectation => ({
  anonymous: 'signed-out',
  listener: 'forbidden',
  'other listener': 'forbidden',
  admin: answer,
  blocked: 'account-blocked',
  demoted: 'forbidden',
  'signed out': 'signed-out',
})

/**
 * Who is answered what at each route. The listener's things are asked for: the other listener's
 * column says whether they are his alone. Keys, leases and HLS playlists are asked for with the token of the
 * caller's own listening session, everything else with an access token.
 */
export const EXPECTATIONS: Record<string, Expectation> = {
  'POST /api/v1/auth/register': anyone(201),
  'POST /api/v1/auth/login': anyone('invalid-credentials'),
  'POST /api/v1/auth/refresh': anyone('refresh-invalid'),
  'POST /api/v1/auth/logout': anyone(204),
  'GET /api/v1/auth/me': listeners(200),
  'POST /api/v1/auth/password': listeners('invalid-credentials'),
  'GET /api/v1/auth/sessions': listeners(200),
  'DELETE /api/v1/auth/sessions': listeners(204),
  'DELETE /api/v1/auth/sessions/{id}': listeners(204, 'not-found'),

  'GET /api/v1/artists': anyone(200),
  'GET /api/v1/artists/{id}': anyone(200),
  'GET /api/v1/artists/{id}/albums': anyone(200),
  'GET /api/v1/artists/{id}/tracks': anyone(200),
  'GET /api/v1/albums': anyone(200),
  'GET /api/v1/albums/{id}': anyone(200),
  'GET /api/v1/genres': anyone(200),
  'GET /api/v1/search': anyone(200),
  'GET /api/v1/search/suggestions': anyone(200),
  'GET /api/v1/credits': anyone(200),
  'GET /api/v1/tracks': anyone(200),
  'GET /api/v1/tracks/{id}': anyone(200),
  'GET /api/v1/tracks/{id}/similar': anyone(200),
  'GET /api/v1/tracks/{id}/analysis': anyone(200),
  'GET /api/v1/tracks/{id}/lyrics': anyone('not-found'),
  'PUT /api/v1/tracks/{id}/lyrics': admins(200),
  'PATCH /api/v1/tracks/{id}': admins(200),
  'DELETE /api/v1/tracks/{id}': admins(204),
  'POST /api/v1/tracks/{id}/replace': admins(201),

  // A playlist is no secret; a session token of another track is a mistake.
  'GET /api/v1/tracks/{id}/hls/{playlist}': { ...anyone(200), 'other listener': 'wrong-track' },
  'GET /api/v1/keys/{trackId}/{version}/{period}': {
    anonymous: 'session-token-invalid',
    listener: 200,
    'other listener': 'wrong-track',
    admin: 200,
    blocked: 'account-blocked',
    demoted: 200,
    'signed out': 'signed-out',
  },

  'POST /api/v1/listening-sessions/{id}/leases': {
    anonymous: 'session-token-invalid',
    listener: 200,
    // Their tokens are of sessions of their own.
    'other listener': 'not-found',
    admin: 'not-found',
    blocked: 'not-found',
    demoted: 'not-found',
    'signed out': 'not-found',
  },

  // Listeners who play the track already resume. A former admin may listen, too.
  'POST /api/v1/listening-sessions': {
    anonymous: 'signed-out',
    listener: 200,
    'other listener': 201,
    admin: 200,
    blocked: 'account-blocked',
    demoted: 200,
    'signed out': 'signed-out',
  },
  'POST /api/v1/listening-sessions/{id}/heartbeat': listeners(200, 'not-found'),
  'POST /api/v1/listening-sessions/{id}/complete': listeners(200, 'not-found'),
  'GET /api/v1/quota': listeners(200),
  'GET /api/v1/me/history': listeners(200),
  'GET /api/v1/me/totals': listeners(200),

  'POST /api/v1/uploads': admins(201),
  'GET /api/v1/uploads/{uploadId}': admins(200),
  'POST /api/v1/uploads/{uploadId}/complete': admins('upload-incomplete'),
  'GET /api/v1/jobs': admins(200),
  'GET /api/v1/jobs/{jobId}': admins(200),
  'POST /api/v1/jobs/{jobId}/retry': admins('job-not-retryable'),
  'POST /api/v1/admin/retranscode': admins(202),

  // Not in the document.
  'GET /api/v1/media/*': anyone('not-found'),
  'GET /api/v1/openapi.json': anyone(200),
  'GET /api/v1/docs': anyone(200),
  'GET /api/v1/problems/{code}': anyone(200),
}
