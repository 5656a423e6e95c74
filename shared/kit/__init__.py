"""The platform: knows PostgreSQL, Kafka, HTTP and telemetry; knows no word of referral.

What two services need and what carries no referral word belongs here, nothing else.
"""
