export * from './credit-track.ts'
export * from './delete-track.ts'
export * from './enqueue-jobs.ts'
export * from './expire-uploads.ts'
