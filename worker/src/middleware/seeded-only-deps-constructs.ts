import { makeClock } from '../platform/clock.ts'
makeClock()
