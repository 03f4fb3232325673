"""Who buys in the seeded store, and who works there."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from core.identity import Role
from pasar.seed.ids import seeded_id

GIVEN_NAMES = (
    *("Adi", "Agus", "Ahmad", "Andi", "Arif", "Bagus", "Bambang", "Bayu", "Budi", "Dedi", "Dimas", "Eko", "Fajar"),
    *("Galih", "Gilang", "Hendra", "Ilham", "Irfan", "Joko", "Made", "Nyoman", "Putu", "Rizky", "Surya", "Teguh"),
    *("Wahyu", "Yoga", "Yusuf", "Ayu", "Citra", "Dewi", "Dian", "Eka", "Fitri", "Indah", "Intan", "Kartika", "Ketut"),
    *("Lestari", "Maya", "Mega", "Nadia", "Novi", "Nur", "Putri", "Rani", "Ratna", "Rina", "Sari", "Siti", "Sri"),
    *("Tuti", "Wulan", "Yuni", "Zahra", "Marlina", "Butet", "Yohana", "Markus", "Yosef", "Lukas", "Daniel"),
)
FAMILY_NAMES = (
    *("Santoso", "Wijaya", "Saputra", "Pratama", "Hidayat", "Setiawan", "Kusuma", "Nugroho", "Wibowo", "Susanto"),
    *("Siregar", "Simanjuntak", "Nasution", "Sitompul", "Harahap", "Lubis", "Sinaga", "Tampubolon", "Wardhana"),
    *("Suryani", "Handayani", "Rahmawati", "Anggraini", "Permata", "Maharani", "Utami", "Puspita", "Lestari"),
    *("Tanjung", "Chaniago", "Piliang", "Rumengan", "Wenas", "Manuhutu", "Latuconsina", "Wonda", "Kogoya", "Gunawan"),
)
CITIES = (
    ("Jakarta Selatan", "DKI Jakarta", "12190", 22),
    ("Bandung", "Jawa Barat", "40115", 12),
    ("Surabaya", "Jawa Timur", "60241", 12),
    ("Yogyakarta", "DI Yogyakarta", "55223", 8),
    ("Semarang", "Jawa Tengah", "50132", 7),
    ("Medan", "Sumatera Utara", "20112", 7),
    ("Denpasar", "Bali", "80113", 7),
    ("Makassar", "Sulawesi Selatan", "90111", 6),
    ("Palembang", "Sumatera Selatan", "30114", 4),
    ("Balikpapan", "Kalimantan Timur", "76112", 4),
    ("Manado", "Sulawesi Utara", "95111", 3),
    ("Padang", "Sumatera Barat", "25112", 3),
    ("Kupang", "Nusa Tenggara Timur", "85111", 2),
    ("Ambon", "Maluku", "97124", 2),
    ("Jayapura", "Papua", "99111", 1),
)
STREETS = ("Merdeka", "Sudirman", "Diponegoro", "Kartini", "Gajah Mada", "Pattimura", "Melati", "Kenanga", "Cendana")

# Who comes before the customers
STAFF_COUNT = 2
# Of the seeded accounts, and of no other: they are for demonstrations on one machine
PASSWORD = "rahasia-pasar"
# RFC 2606: mail to it goes nowhere
MAIL_DOMAIN = "pasar.example"


@dataclass(frozen=True, slots=True)
class Person:
    """An account. *city*, *region* and *postal_code* are where parcels go; *eagerness* weighs how often they buy."""

    id: str
    name: str
    email: str
    roles: tuple[str, ...]
    joined_at: datetime
    phone: str
    street: str
    city: str
    region: str
    postal_code: str
    eagerness: float


def make_people(random: Random, count: int, *, opened_at: datetime, until: datetime) -> tuple[Person, ...]:
    """Return the admin, a member of staff, and *count* customers in the order in which they joined."""
    people = [
        _person("Admin Pasar", "admin", (Role.ADMIN,), opened_at, random),
        _person("Sinta Maharani", "staff", (Role.STAFF,), opened_at, random),
        # One customer is there from the first day and is known by name, to log in with
        _person("Budi Santoso", "budi", (Role.CUSTOMER,), opened_at, random),
    ]
    span_s = (until - opened_at).total_seconds()
    # The square root makes later days likelier: a store that grows wins ever more customers
    joined = sorted(opened_at + timedelta(seconds=int(span_s * random.random() ** 0.5)) for _ in range(count - 1))
    for number, joined_at in enumerate(joined, start=1):
        name = f"{random.choice(GIVEN_NAMES)} {random.choice(FAMILY_NAMES)}"
        account = f"{name.lower().replace(' ', '.')}.{number}"
        people.append(_person(name, account, (Role.CUSTOMER,), joined_at, random))
    return tuple(people)


def _person(name: str, account: str, roles: tuple[str, ...], joined_at: datetime, random: Random) -> Person:
    city, region, postal_code, _ = random.choices(CITIES, weights=[weight for *_, weight in CITIES])[0]
    return Person(
        id=seeded_id("usr", random, joined_at),
        name=name,
        email=f"{account}@{MAIL_DOMAIN}",
        roles=roles,
        joined_at=joined_at,
        phone=f"+62812{random.randint(10_000_000, 99_999_999)}",
        street=f"Jalan {random.choice(STREETS)} {random.randint(1, 240)}",
        city=city,
        region=region,
        postal_code=postal_code,
        # Few buy much: the usual shape of a customer base
        eagerness=random.paretovariate(1.4),
    )
