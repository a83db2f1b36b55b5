import { expect, test } from 'vitest'
import { parseEnv } from './env.ts'

const complete = {
  DATABASE_URL: 'postgres://u:p@localhost/db',
  REDIS_URL: 'redis://localhost:6379',
  S3_ENDPOINT: 'https://s3.example',
  S3_BUCKET: 'media',
  S3_ORIGINALS_BUCKET: 'originals',
  S3_ACCESS_KEY_ID: 'id',
  S3_SECRET_ACCESS_KEY: 'secret',
  CONTENT_KEY_SECRET: `k1:${btoa('\x01'.repeat(32))}`,
}

test('a complete environment has defaults for the rest', () => {
  expect(parseEnv(complete)).toMatchObject({
    LADDER: [64_000, 128_000, 192_000],
    S3_REGION: 'auto',
    FFMPEG_PATH: 'ffmpeg',
  })
  expect(parseEnv({ ...complete, LADDER: '128, 256,320' }).LADDER).toEqual([
    128_000, 256_000, 320_000,
  ])
})

test('everything that is missing or wrong is named at once, with how to make it', () => {
  const broken = { ...complete, REDIS_URL: '', LADDER: '64,64', CONTENT_KEY_SECRET: 'k1:hunter2' }
  expect(() => parseEnv(broken)).toThrow(
    /REDIS_URL is missing[^]*LADDER|LADDER[^]*REDIS_URL is missing/,
  )
  expect(() => parseEnv(broken)).toThrow(/openssl rand -base64 32/)
  expect(() => parseEnv(broken)).not.toThrow(/hunter2/)
})
