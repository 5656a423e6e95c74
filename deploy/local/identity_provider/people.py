"""Who can log in: one person per role, and the clients, whose ids alone say what they are."""

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Person:
    """A made-up person; `sub` is the log-in. `id` and `en` say on the page whom one becomes."""

    sub: str
    role: str
    org: str
    id: str
    en: str
    port: str | None = None
    region: str | None = None

    def claims(self) -> dict[str, Any]:
        return _claims(self.sub, self.org, self.role, "person", self.port, self.region)


ACR = "mfa"
"""How surely people are said to have signed in; that nobody is asked for anything here is why it refuses production."""

PEOPLE = {
    person.sub: person
    for person in (
        Person(
            "petugas.nnk",
            "port_officer",
            "BP3MI-65",
            "Petugas debarkasi, Pelabuhan Tunon Taka, Nunukan",
            "Port officer, Tunon Taka port, Nunukan",
            port="NNK",
            region="65.03",
        ),
        Person(
            "dinsos.7306",
            "agency_worker",
            "DINSOS-73.06",
            "Petugas Dinas Sosial Kabupaten Gowa",
            "Worker, social affairs office, Gowa regency",
            region="73.06",
        ),
        Person(
            "dinkes.7371",
            "agency_worker",
            "DINKES-73.71",
            "Petugas Dinas Kesehatan Kota Makassar",
            "Worker, health office, Makassar city",
            region="73.71",
        ),
        Person(
            "bp3mi.73",
            "agency_worker",
            "BP3MI-73",
            "Petugas BP3MI Sulawesi Selatan",
            "Worker, BP3MI South Sulawesi",
            region="73",
        ),
        Person(
            "penyelia.73",
            "agency_supervisor",
            "BP3MI-73",
            "Penyelia, Sulawesi Selatan",
            "Supervisor, South Sulawesi",
            region="73",
        ),
        Person("koordinator", "coordinator", "KP2MI", "Koordinator nasional", "National coordinator"),
        Person("lsm", "ngo_member", "NGO-SBMI", "Anggota LSM SBMI", "Member of the NGO SBMI"),
        Person("lsm2", "ngo_member", "NGO-MIGRANTCARE", "Anggota LSM Migrant CARE", "Member of the NGO Migrant CARE"),
        Person("auditor", "auditor", "ITJEN-KP2MI", "Auditor, Inspektorat Jenderal", "Auditor, inspectorate general"),
        Person(
            "dpo", "data_protection_officer", "KP2MI", "Pejabat Pelindungan Data Pribadi", "Data protection officer"
        ),
        Person("operator", "operator", "KP2MI", "Operator sistem", "System operator"),
    )
}

SERVICE = re.compile(r"svc-[a-z]{1,32}")
PORT = re.compile(r"port-([A-Z0-9][A-Z0-9-]{0,15})")
NGO = re.compile(r"NGO-[A-Z0-9][A-Z0-9.-]{0,48}")
AUDITOR = re.compile(r"ITJEN-[A-Z0-9]{2,32}")
AGENCY = re.compile(r"[A-Z][A-Z0-9_]{1,31}(?:-[A-Z][A-Z0-9_]{0,15})*(?:-([0-9]{2}(?:\.[0-9]{2})?))?")


def client_secret(provider_secret: str, client_id: str) -> str:
    """The secret of a client: HMAC-SHA256 of its id under the provider's secret, in hex."""
    return hmac.new(provider_secret.encode(), client_id.encode(), hashlib.sha256).hexdigest()


def client_claims(client_id: str) -> dict[str, Any] | None:
    """What a client's tokens say about it, None for an id that means nothing.

    `svc-<service>` a service, `port-<CODE>` a port's own system, `NGO-…` an NGO's system, `ITJEN-…` that of an
    inspectorate general, any other code in capitals an agency's system with the region at its end, if there is one.
    """
    if SERVICE.fullmatch(client_id):
        return _claims(client_id, "rujukan", "service", "client")
    if port := PORT.fullmatch(client_id):
        return _claims(client_id, client_id, "port_system", "client", port=port[1])
    if NGO.fullmatch(client_id):
        return _claims(client_id, client_id, "ngo_system", "client")
    if AUDITOR.fullmatch(client_id):
        return _claims(client_id, client_id, "auditor", "client")
    if agency := AGENCY.fullmatch(client_id):
        return _claims(client_id, client_id, "agency_system", "client", region=agency[1])
    return None


def _claims(
    sub: str, org: str, role: str, kind: str, port: str | None = None, region: str | None = None
) -> dict[str, Any]:
    claims: dict[str, Any] = {"sub": sub, "org": org, "roles": [role], "kind": kind}
    if port:
        claims["port"] = port
    if region:
        claims["region"] = region
    return claims
