-- When each guard last said that it runs.
SELECT instance, max(at) AS said FROM guards GROUP BY instance ORDER BY instance
