/** Path of the API on its origin. */
export const API_BASE = '/api/v1'
