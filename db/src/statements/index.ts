export * from './abandon-uploads.ts'
export * from './delete-track.ts'
