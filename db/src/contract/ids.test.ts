import { expect, test } from 'vitest'
import {
  AlbumId,
  ArtistId,
  FamilyId,
  JobId,
  SessionId,
  TrackId,
  UploadId,
  UserId,
  uuidv7,
} from './ids.ts'

const kinds = { AlbumId, ArtistId, FamilyId, JobId, SessionId, TrackId, UploadId, UserId }

test.each(Object.entries(kinds))('%s in capitals is the same identifier', (_, kind) => {
  const id = uuidv7()
  expect([kind.parse(id.toUpperCase()), kind.parse(id)]).toEqual([id, id])
})
