import { Link, useLocation } from '@remix-run/react'
import { Upload } from 'lucide-react'
import { tallyOf } from '../upload/machine.ts'
import { useUploads } from '../upload/uploads.ts'

/** On other pages: how many uploads are in progress, with a link to them. */
export function UploadIndicator() {
  const { pathname } = useLocation()
  const left = useUploads((state) => {
    const { underway, processing } = tallyOf(state)
    return underway + processing
  })
  if (left === 0 || pathname === '/admin/upload') return null
  return (
    <Link
      to="/admin/upload"
      className="button-quiet fixed right-4 bottom-32 z-20 bg-slate shadow-xl shadow-black/40 sm:right-8 sm:bottom-28"
    >
      <Upload className="size-4 text-lamp" aria-hidden="true" />
      {left} {left === 1 ? 'upload' : 'uploads'} in progress
    </Link>
  )
}
