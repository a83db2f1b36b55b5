export * from './database.ts'
export * from './factories.ts'
export * from './meter-calls.ts'
export * from './meter-model.ts'
