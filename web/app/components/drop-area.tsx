import { Upload } from 'lucide-react'
import { useRef, useState } from 'react'
import { ACCEPTED, ACCEPTED_NAMES } from '../upload/check-file.ts'
import { upload } from '../upload/uploads.ts'

/** Where files are dropped, or chosen with the system's own dialog. */
export function DropArea() {
  const picker = useRef<HTMLInputElement>(null)
  const [isOver, setOver] = useState(false)
  return (
    <div
      data-over={isOver}
      className="mt-8 grid place-items-center rounded-2xl border-2 border-dashed border-edge bg-dusk/60 px-6 py-10 text-center transition-colors data-[over=true]:border-lamp data-[over=true]:bg-lamp/5"
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault()
        setOver(false)
        upload([...event.dataTransfer.files])
      }}
    >
      <Upload className="size-8 text-lamp" strokeWidth={1.5} aria-hidden="true" />
      <p className="mt-4 font-serif text-xl max-sm:hidden">Drop files here, as many as you like</p>
      <p className="mt-1.5 text-sm text-haze">{ACCEPTED_NAMES}</p>
      <input
        ref={picker}
        type="file"
        multiple
        accept={`audio/*,${ACCEPTED}`}
        className="sr-only"
        tabIndex={-1}
        aria-label="Files to upload"
        onChange={({ currentTarget }) => {
          upload([...(currentTarget.files ?? [])])
          // So that the same file can be chosen again.
          currentTarget.value = ''
        }}
      />
      <button type="button" className="button-lamp mt-6" onClick={() => picker.current?.click()}>
        Choose files
      </button>
      <noscript>
        <p className="mt-4 text-sm text-ember">Sending files needs JavaScript.</p>
      </noscript>
    </div>
  )
}
