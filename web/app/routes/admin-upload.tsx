import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/cloudflare'
import { useLoaderData } from '@remix-run/react'
import { useEffect } from 'react'
import { DropArea } from '../components/drop-area.tsx'
import { UploadRow } from '../components/upload-row.tsx'
import { read } from '../lib/api.ts'
import { asking } from '../lib/api.server.ts'
import { initialUploads, stepUploads, tallyOf } from '../upload/machine.ts'
import type { UploadState } from '../upload/machine.ts'
import { dispatchUpload, useUploads } from '../upload/uploads.ts'

export const meta: MetaFunction = () => [{ title: 'Upload · Mist' }]

const SHOWN_JOBS = 50

export async function loader({ request, context }: LoaderFunctionArgs) {
  return asking({ request, context }, (api) =>
    read(api.jobs.index.$get({ query: { limit: String(SHOWN_JOBS) } })),
  )
}

function summaryOf(state: UploadState): string {
  const { underway, processing, done, failed } = tallyOf(state)
  const parts = [
    underway > 0 ? `${underway} uploading` : null,
    processing > 0 ? `${processing} processing` : null,
    done > 0 ? `${done} ready` : null,
    failed > 0 ? `${failed} failed` : null,
  ]
  return parts.filter((part) => part !== null).join(' · ')
}

export default function UploadPage() {
  const { items: jobs } = useLoaderData<typeof loader>()
  // Uploads of earlier visits come from the API.
  useEffect(() => dispatchUpload({ type: 'jobs', jobs }), [jobs])
  const live = useUploads((state) => state)
  // Before the first effect, and without JavaScript, only the API's list is known.
  const shown =
    live.items.length > 0 ? live : stepUploads(initialUploads, { type: 'jobs', jobs }).state
  const summary = summaryOf(shown)
  return (
    <div className="mx-auto max-w-3xl px-4 pt-6 pb-12 sm:px-8 sm:pt-10">
      <p className="eyebrow">Admin</p>
      <h1 className="mt-2 font-serif text-4xl tracking-tight">Upload</h1>
      <p className="mt-3 text-pretty text-haze">
        Drop audio files here. Each one is checked and encoded, and appears in the catalogue a few
        seconds later.
      </p>
      <DropArea />
      {shown.items.length > 0 ? (
        <section aria-labelledby="uploads" className="mt-10">
          <div className="flex flex-wrap items-baseline justify-between gap-x-6 gap-y-1">
            <h2 id="uploads" className="font-serif text-2xl">
              Uploads
            </h2>
            <p className="text-sm text-haze tabular-nums" role="status">
              {summary}
            </p>
          </div>
          <ul className="panel mt-4 divide-y divide-edge/70">
            {shown.items.map((item) => (
              <UploadRow key={item.id} item={item} />
            ))}
          </ul>
        </section>
      ) : null}
    </div>
  )
}
