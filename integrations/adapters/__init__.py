"""What Huuva knows of each channel's own words. No module in here touches the database or a request (ADR 18)."""
