/** Where tests find the API. */
export const ORIGIN = 'https://api.example'
