#!/bin/sh
# One database per service: an owner for the migrations, a role without ownership for the service.
set -eu
for service in intake referral notify audit; do
    psql -v ON_ERROR_STOP=1 -U postgres \
        -v service="$service" -v owner="${service}_owner" \
        -v application_password="$APPLICATION_PASSWORD" -v owner_password="$OWNER_PASSWORD" <<'SQL'
CREATE ROLE :"owner" LOGIN PASSWORD :'owner_password';
CREATE ROLE :"service" LOGIN NOBYPASSRLS PASSWORD :'application_password';
CREATE DATABASE :"service" OWNER :"owner" ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE :"service" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"service" TO :"service";
SQL
done
