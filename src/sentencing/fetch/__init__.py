"""Download the report's country narratives from the publisher, for those who have a connection.

Nothing else in this repository needs it: no notebook, no test and no other command makes a request. What is
downloaded goes to build/fetched, never to data/raw.

    client      requests: robots.txt, a pause between requests, retries, resuming, cache, checksums
    addresses   where a country's page of a year is, and where UNODC's workbook is
    pages       from a page to the sections of a narrative, or a reason why not

    python -m sentencing.fetch --years 2018 --countries SRB,BGR

This was written without a connection: it is tested against a local server and made-up pages; the publishers'
live pages have never been fetched with it. What is known of them comes from stored copies and is told where it
is used.
"""
