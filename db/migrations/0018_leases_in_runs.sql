-- A lease of one period is a lease of a run of one; its rules are in one place.
DROP FUNCTION IF EXISTS meter_outcome(meters, integer, uuid, integer, integer, timestamptz, date);
