export function UploadIndicator() { return null }
