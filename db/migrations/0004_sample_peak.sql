-- The analysis measures the sample peak: the limiter works on samples, and nothing ever used more.
ALTER TABLE "tracks" RENAME COLUMN "true_peak_dbtp" TO "sample_peak_dbfs";
--> statement-breakpoint
UPDATE "tracks" SET "sample_peak_dbfs" = NULL;
