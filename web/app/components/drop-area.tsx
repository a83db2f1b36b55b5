import { Upload } from 'lucide-react'
import { useRef, useState } from 'react'
import { ACCEPTED, ACCEPTED_NAMES } from '../upload/check-file.ts'
import { upload } from '../upload/uploads.ts'

/** Where files are dropped, or chosen with the system's dialog. */
export function DropArea() {
  const picker = useRef<HTMLInputElement>(null)
  const [isHovered, setHovered] = useState(false)
  return (
    <div
      data-hovered={isHovered}
      className="mt-8 grid place-items-center rounded-2xl border-2 border-dashed border-edge bg-dusk/60 px-6 py-10 text-center transition-colors data-[hovered=true]:border-lamp data-[hovered=true]:bg-lamp/5"
      onDragOver={(event) => {
        event.preventDefault()
        setHovered(true)
      }}
      onDragLeave={() => setHovered(false)}
      onDrop={(event) => {
        event.preventDefault()
        setHovered(false)
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
        <p className="mt-4 text-sm text-ember">Uploading needs JavaScript.</p>
      </noscript>
    </div>
  )
}
