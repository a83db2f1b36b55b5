import type { Env, StorageEnv } from './env.ts'
import type { ProcessorConfig } from './jobs/transcode/processor.ts'
import { stepLimits } from './jobs/transcode/step-deadline.ts'
import type { makeFfmpeg } from './platform/ffmpeg/index.ts'
import type { makeObjectStore } from './platform/object-store.ts'

/** The parts' options as the environment has them. */

export function ffmpegOptions(env: Env): Parameters<typeof makeFfmpeg>[0] {
  return {
    ffmpegPath: env.FFMPEG_PATH,
    ffprobePath: env.FFPROBE_PATH,
    limits: {
      cpuS: env.FFMPEG_CPU_S,
      wallS: env.FFMPEG_WALL_S,
      memoryBytes: env.FFMPEG_MEMORY_MB * 1024 ** 2,
      // All that it makes goes through its standard output.
      fileBytes: 0,
    },
  }
}

export function objectStoreOptions(
  env: StorageEnv,
  connections: number,
): Parameters<typeof makeObjectStore>[0] {
  return {
    endpoint: env.S3_ENDPOINT,
    region: env.S3_REGION,
    accessKeyId: env.S3_ACCESS_KEY_ID,
    secretAccessKey: env.S3_SECRET_ACCESS_KEY,
    mediaBucket: env.S3_BUCKET,
    originalsBucket: env.S3_ORIGINALS_BUCKET,
    connections,
  }
}

export function processorConfig(env: Env): ProcessorConfig {
  return {
    workDir: env.WORK_DIR,
    ladder: env.LADDER,
    keyRing: env.CONTENT_KEY_SECRET,
    diskFullRetryMs: env.DISK_FULL_RETRY_S * 1000,
    stepLimits: stepLimits(env.FFMPEG_WALL_S),
    limits: {
      maxBytes: env.MAX_UPLOAD_BYTES,
      maxDurationS: env.MAX_DURATION_S,
      minDurationS: env.MIN_DURATION_S,
      maxChannels: env.MAX_CHANNELS,
      maxSampleRate: env.MAX_SAMPLE_RATE,
    },
  }
}

export function ownershipOptions(env: StorageEnv): { setting: string | null; mayShare: boolean } {
  return { setting: env.INSTALLATION_ID ?? null, mayShare: env.SHARE_BUCKETS }
}

export function sweepOptions(env: Env): { retiredVersionS: number; abandonedUploadS: number } {
  return { retiredVersionS: env.RETIRED_VERSION_S, abandonedUploadS: env.ABANDONED_UPLOAD_S }
}
