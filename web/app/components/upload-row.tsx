import { Link } from '@remix-run/react'
import { Check, CircleAlert, RotateCw, X } from 'lucide-react'
import type { JobStep } from '../lib/api-types.ts'
import { formatBytes } from '../lib/format.ts'
import { isUnderway } from '../upload/machine.ts'
import type { UploadItem } from '../upload/machine.ts'
import { dispatchUpload } from '../upload/uploads.ts'

const STEPS: { step: JobStep | null; name: string }[] = [
  { step: null, name: 'Queued' },
  { step: 'download', name: 'Download' },
  { step: 'probe', name: 'Check' },
  { step: 'analyse', name: 'Analyse' },
  { step: 'encode', name: 'Encode' },
  { step: 'publish', name: 'Publish' },
]

function Bar({ part, label, tone }: { part: number; label: string; tone: string }) {
  const percent = Math.round(Math.min(1, Math.max(0, part)) * 100)
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuenow={percent}
      aria-valuemin={0}
      aria-valuemax={100}
      className="mt-2.5 h-1.5 overflow-hidden rounded-full bg-edge"
    >
      <div
        className={`h-full rounded-full transition-[width] duration-300 ${tone}`}
        style={{ width: `${percent}%` }}
      />
    </div>
  )
}

function Steps({ current }: { current: JobStep | null }) {
  const at = STEPS.findIndex(({ step }) => step === current)
  return (
    <ol className="mt-2.5 flex flex-wrap gap-x-4 gap-y-1 text-xs">
      {STEPS.map(({ name }, index) => (
        <li
          key={name}
          aria-current={index === at ? 'step' : undefined}
          className={
            index < at ? 'text-moss' : index === at ? 'font-semibold text-lamp' : 'text-dim'
          }
        >
          {index < at ? <Check className="mr-1 inline size-3" aria-hidden="true" /> : null}
          {name}
          {index < at ? <span className="sr-only"> done</span> : null}
        </li>
      ))}
    </ol>
  )
}

function Progress({ item }: { item: UploadItem }) {
  const { phase, name } = item
  switch (phase.kind) {
    case 'waiting':
      return <p className="mt-1 text-sm text-dim">Waiting…</p>
    case 'sending':
      return (
        <Bar
          part={phase.sentBytes / Math.max(1, item.sizeBytes ?? 1)}
          label={`${name}: sent`}
          tone="bg-fog"
        />
      )
    case 'completing':
      return <Bar part={1} label={`${name}: sent`} tone="bg-fog" />
    case 'processing':
      return (
        <>
          <Bar part={phase.progress} label={`${name}: processed`} tone="bg-lamp" />
          <Steps current={phase.step} />
        </>
      )
    case 'failed':
      return (
        <p className="mt-1.5 flex items-start gap-2 text-sm text-ember">
          <CircleAlert className="mt-0.5 size-4 shrink-0" aria-hidden="true" />
          <span className="min-w-0 text-pretty break-words">{phase.sentence}</span>
        </p>
      )
    case 'unsent':
      return (
        <p className="mt-1 text-sm text-haze">
          The file was not fully uploaded. Choose it again to continue.
        </p>
      )
    case 'done':
      return null
  }
}

function sizeLabel({ phase, sizeBytes }: UploadItem): string {
  if (phase.kind === 'sending' && sizeBytes !== null) {
    return `${formatBytes(phase.sentBytes)} of ${formatBytes(sizeBytes)}`
  }
  return sizeBytes === null ? '' : formatBytes(sizeBytes)
}

/** One upload: its progress, and its actions. */
export function UploadRow({ item }: { item: UploadItem }) {
  const { id, name, phase } = item
  return (
    <li className="flex items-start gap-3 px-4 py-3.5 sm:px-5" data-phase={phase.kind}>
      <div className="min-w-0 grow py-1">
        <p className="flex items-baseline gap-3">
          <span className="min-w-0 truncate font-medium" title={name}>
            {name}
          </span>
          <span className="ml-auto shrink-0 text-xs text-dim tabular-nums">{sizeLabel(item)}</span>
        </p>
        <Progress item={item} />
      </div>
      {phase.kind === 'done' ? (
        <Link to={`/tracks/${phase.trackId}`} className="button-quiet" aria-label={`Open ${name}`}>
          <Check className="size-4 text-moss" aria-hidden="true" /> Open
        </Link>
      ) : null}
      {phase.kind === 'failed' && phase.retry !== null ? (
        <button
          type="button"
          className="icon-button"
          aria-label={`Try ${name} again`}
          onClick={() => dispatchUpload({ type: 'retry', id })}
        >
          <RotateCw className="size-5" aria-hidden="true" />
        </button>
      ) : null}
      {isUnderway(item) || phase.kind === 'failed' ? (
        <button
          type="button"
          className="icon-button"
          aria-label={isUnderway(item) ? `Cancel ${name}` : `Remove ${name} from the list`}
          onClick={() => dispatchUpload({ type: 'remove', id })}
        >
          <X className="size-5" aria-hidden="true" />
        </button>
      ) : null}
    </li>
  )
}
