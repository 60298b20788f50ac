SELECT max(number) AS last FROM configurations
