import type { Config } from './env.ts'
import { type Clock, systemClock } from './platform/clock.ts'
import {
  isDatabaseUnavailable,
  isUnusableValue,
  makeJsonQuery,
  makeDatabase,
} from './platform/database.ts'
import { makeEdgeCache } from './platform/edge-cache.ts'
import { type Log, makeLog } from './platform/log.ts'
import { makeObjectStore } from './platform/object-store.ts'
import { makeKeyedHash } from './platform/keyed-hash.ts'
import { networkOf } from './platform/networks.ts'
import * as passwords from './platform/passwords.ts'
import { makeTokens } from './platform/tokens.ts'
import { makeTtlCache } from './platform/ttl-cache.ts'
import { Unavailable } from './platform/unavailable.ts'
import { makeAccountRepo } from './repos/account-repo.ts'
import { makeAlbumRepo } from './repos/album-repo.ts'
import { makeArtistRepo } from './repos/artist-repo.ts'
import { makeAuthSessionRepo } from './repos/auth-session-repo.ts'
import { makeGenreRepo } from './repos/genre-repo.ts'
import { makeGuessRepo } from './repos/guess-repo.ts'
import { makeHistoryRepo } from './repos/history-repo.ts'
import { makeHousekeepingRepo } from './repos/housekeeping-repo.ts'
import { makeJobRepo } from './repos/job-repo.ts'
import { makeListeningRepo } from './repos/listening-repo.ts'
import { makeLyricsRepo } from './repos/lyrics-repo.ts'
import { makeMediaRepo } from './repos/media-repo.ts'
import { makeSearchRepo } from './repos/search-repo.ts'
import { makeTakedownRepo } from './repos/takedown-repo.ts'
import { makeTrackRepo } from './repos/track-repo.ts'
import { at, boundedNow } from './repos/rows.ts'
import { makeUploadRepo } from './repos/upload-repo.ts'
import { makeAccountService } from './services/account-service.ts'
import { makeAuthSessionService } from './services/auth-session-service.ts'
import { makeAuthTokens } from './services/auth-tokens.ts'
import { makeBrowseService } from './services/browse-service.ts'
import { makeHistoryService } from './services/history-service.ts'
import { makeHlsService } from './services/hls-service.ts'
import { makeJobService } from './services/job-service.ts'
import { makeListeningService } from './services/listening-service.ts'
import { makeLyricsService } from './services/lyrics-service.ts'
import { makeMasterKeys } from './services/master-keys.ts'
import { makeMediaService } from './services/media-service.ts'
import { makeSearchService } from './services/search-service.ts'
import { makeTakedowns } from './services/takedowns.ts'
import { makeTrackService } from './services/track-service.ts'
import { makeUploadService } from './services/upload-service.ts'

/** The composition root: the only place where platform, repos and services meet. */
export function makeDeps(
  config: Config,
  {
    clock = systemClock,
    // oxlint-disable-next-line no-console -- the console is where Workers Logs reads
    log = makeLog((line) => console.log(line)),
  }: { clock?: Clock; log?: Log } = {},
) {
  const database = { databaseUrl: config.DATABASE_URL, proxyUrl: config.NEON_PROXY_URL }
  const db = makeDatabase(database)
  // A clock that a test owns is believed; a machine's is held against the database's.
  const asOf = clock === systemClock ? boundedNow : at
  const listening = makeListeningRepo({ db, queryJson: makeJsonQuery(database), asOf })
  const store = makeObjectStore({
    endpoint: config.S3_ENDPOINT,
    publicEndpoint: config.S3_PUBLIC_ENDPOINT ?? config.S3_ENDPOINT,
    region: config.S3_REGION,
    accessKeyId: config.S3_ACCESS_KEY_ID,
    secretAccessKey: config.S3_SECRET_ACCESS_KEY,
  })
  const tokens = makeTokens({ secret: config.JWT_SECRET, clock })
  const originals = config.S3_ORIGINALS_BUCKET
  const now = () => clock().getTime()
  const takedowns = makeTakedownRepo({ db })
  const media = makeMediaRepo({ db })
  const search = makeSearchRepo({ db })
  const tracks = makeTrackRepo({ db })
  const artists = makeArtistRepo({ db })
  const albums = makeAlbumRepo({ db })
  const auth = {
    guesses: makeGuessRepo({ db, asOf }),
    keyedHash: makeKeyedHash(config.JWT_SECRET),
    authTokens: makeAuthTokens({ tokens, clock }),
    passwords,
    clock,
  }
  const accounts = makeAccountService({ accounts: makeAccountRepo({ db, asOf }), ...auth })

  return {
    log,
    clock,
    tokens,
    /** Whether a failure only means that the database or the object store can't be reached now. */
    isUnavailable: (error: unknown) => isDatabaseUnavailable(error) || error instanceof Unavailable,
    /** Whether a failure means that the database could not take a value of the request. */
    isUnusableValue,
    cache: makeEdgeCache(),
    /** Pages of the catalogue, as JSON in UTF-8; at some 15 KB each they stay below 2 MB. */
    pages: makeTtlCache<ArrayBuffer>({ kept: 100, now }),
    webOrigins: new Set(config.WEB_ORIGINS),
    /** Where media is, if not behind this Worker. */
    mediaBaseUrl: config.MEDIA_BASE_URL ?? null,
    /** The network of an address: those on one network share limits. */
    networkOf,
    limiters: {
      auth: config.RATE_LIMIT_AUTH,
      uploads: config.RATE_LIMIT_UPLOADS,
      keys: config.RATE_LIMIT_KEYS,
      search: config.RATE_LIMIT_SEARCH,
    },
    accounts,
    authSessions: makeAuthSessionService({
      authSessions: makeAuthSessionRepo({ db, asOf }),
      accounts,
      tokens,
      log,
      ...auth,
    }),
    tracks: makeTrackService({ tracks, clock }),
    browse: makeBrowseService({ artists, albums, genres: makeGenreRepo({ db }), tracks }),
    search: makeSearchService({ search, tracks, artists, albums }),
    lyrics: makeLyricsService({ lyrics: makeLyricsRepo({ db }), clock }),
    listening: makeListeningService({
      listening,
      media,
      tokens,
      masterKeys: makeMasterKeys({
        keyRing: config.CONTENT_KEY_SECRET,
        opened: makeTtlCache({ kept: 500, now }),
        clock,
      }),
      clock,
    }),
    hls: makeHlsService({ media }),
    history: makeHistoryService({ history: makeHistoryRepo({ db }), clock }),
    uploads: makeUploadService({
      uploads: makeUploadRepo({ db }),
      store,
      bucket: originals,
      limits: {
        maxBytes: config.MAX_UPLOAD_BYTES,
        singlePartLimitBytes: config.SINGLE_PART_LIMIT_BYTES,
        partSizeBytes: config.PART_SIZE_BYTES,
      },
      clock,
    }),
    jobs: makeJobService({ jobs: makeJobRepo({ db }), store, bucket: originals, clock }),
    media: makeMediaService({
      store,
      bucket: config.S3_BUCKET,
      takedowns: makeTakedowns({ takedowns, now, log }),
      tracks: takedowns,
      servable: makeTtlCache({ kept: 5000, now }),
      now,
    }),
    /** For the schedule alone. */
    repos: { listening, search, housekeeping: makeHousekeepingRepo({ db, asOf }) },
  }
}

export type Deps = ReturnType<typeof makeDeps>
