import { expect, test } from 'vitest'
import { makeLeaseLead } from './lease-lead.ts'

test('the lead follows the slowest answer of late, within limits', () => {
  const lead = makeLeaseLead()
  expect([lead.leadS(), lead.stayingLeadS()]).toEqual([0.8, 3])
  lead.measure(1000)
  expect([lead.leadS(), lead.stayingLeadS()]).toEqual([1.9, 4])
  lead.measure(60_000)
  expect([lead.leadS(), lead.stayingLeadS()]).toEqual([3, 6])
  for (let times = 0; times < 30; times++) lead.measure(50)
  expect([lead.leadS(), lead.stayingLeadS()]).toEqual([0.8, 3])
})

test('who leaves more than a period unheard has shorter leads until that is made up for', () => {
  const lead = makeLeaseLead()
  lead.leave(4.5, 4)
  expect(lead.leadS()).toBeCloseTo(0.3)
  lead.leave(20, 4)
  expect(lead.leadS()).toBe(0.1)
  lead.leave(0, 4)
  expect(lead.leadS()).toBe(0.8)
})
