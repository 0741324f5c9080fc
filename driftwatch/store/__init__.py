"""driftwatch's own tables: what is counted, judged, alerted and notified, in one transaction."""
