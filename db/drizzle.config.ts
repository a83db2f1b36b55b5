import { defineConfig } from 'drizzle-kit'

export default defineConfig({
  dialect: 'postgresql',
  schema: [
    './src/schema/plans.ts',
    './src/schema/accounts.ts',
    './src/schema/catalogue.ts',
    './src/schema/ingest.ts',
    './src/schema/listening.ts',
    './src/schema/embeddings.ts',
    './src/schema/search.ts',
    './src/schema/storage.ts',
    './src/schema/audit.ts',
  ],
  out: './migrations',
})
