import type { Settings } from './settings.ts'

/** No outbound connection for statistics or for the shape of `request.cf`. */
export const QUIET_WRANGLER = {
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_SEND_ERROR_REPORTS: 'false',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  CLOUDFLARE_TELEMETRY_DISABLED: '1',
}

/** The variables that the Worker and the transcoder have in common. */
export function sharedEnv(
  settings: Settings,
  s3: Settings['s3'] & { endpoint: string },
  databaseUrl: string,
): Record<string, string> {
  return {
    ...settings.passedOn,
    DATABASE_URL: databaseUrl,
    S3_ENDPOINT: s3.endpoint,
    S3_REGION: s3.region,
    S3_BUCKET: s3.bucket,
    S3_ORIGINALS_BUCKET: s3.originalsBucket,
    S3_ACCESS_KEY_ID: s3.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    CONTENT_KEY_SECRET: settings.contentKeySecret,
    INSTALLATION_ID: settings.installationId,
  }
}

/** What any program needs of the surroundings; our own settings reach the parts by name only. */
export function baseEnv({ PATH, HOME, LANG, TMPDIR, TZ, NODE_OPTIONS }: NodeJS.ProcessEnv) {
  return { PATH, HOME, LANG, TMPDIR, TZ, NODE_OPTIONS }
}

/** For build tools: as quiet as possible. */
export function toolEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...baseEnv(env), ...QUIET_WRANGLER, CI: '1' }
}
