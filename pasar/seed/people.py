"""Who buys in the seeded store, and who works there."""

from array import array
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from itertools import accumulate
from random import Random

from core.identity import Role
from pasar.seed.ids import timed_id

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
# A city as often as its weight says
_CITY_TICKETS = tuple((city, region, code) for city, region, code, weight in CITIES for _ in range(weight))
STREETS = ("Merdeka", "Sudirman", "Diponegoro", "Kartini", "Gajah Mada", "Pattimura", "Melati", "Kenanga", "Cendana")

# Of the seeded accounts, and of no other: they are for demonstrations on one machine
PASSWORD = "rahasia-pasar"
# RFC 2606: mail to it goes nowhere
MAIL_DOMAIN = "pasar.example"
# Few buy much: the usual shape of a customer base
EAGERNESS_SHAPE = 1.4
# Customers whose rows are kept at hand: those that buy much
_KEPT_CUSTOMERS = 50_000


@dataclass(frozen=True, slots=True)
class Person:
    """An account. *city*, *region* and *postal_code* are where parcels go."""

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


class People:
    """Admin, a member of staff, and *customer_count* customers, in the order in which they joined.

    Nobody is kept: a person follows from a number and from the seed, so that several programs can ask for the same one
    among millions.
    """

    def __init__(self, seed: int, customer_count: int, *, opened_at: datetime, until: datetime) -> None:
        self.customer_count = customer_count
        self._seed = seed
        self._opened_s = int(opened_at.timestamp())
        self._span_s = int((until - opened_at).total_seconds())
        random = Random(f"{seed}/eagerness")
        self._eagerness = array("d", accumulate(random.paretovariate(EAGERNESS_SHAPE) for _ in range(customer_count)))
        self.customer = lru_cache(_KEPT_CUSTOMERS)(self._make_customer)

    @property
    def admin(self) -> Person:
        """Return who may do everything."""
        return self._make("admin", "Admin Pasar", "admin", Role.ADMIN, self._opened_s)

    @property
    def staff(self) -> Person:
        """Return who packs parcels."""
        return self._make("staff", "Sinta Maharani", "staff", Role.STAFF, self._opened_s)

    def pick_customer(self, draw: float, at_s: int) -> Person:
        """Return one of the customers who had joined by *at_s*, eager ones more often; *draw* is from 0 to below 1."""
        # As _joined_s has it, rounded down; one is there from the first day
        fraction = max(0, at_s - self._opened_s) / self._span_s
        known = min(self.customer_count, max(1, int(self.customer_count * fraction * fraction)))
        return self.customer(bisect_right(self._eagerness, draw * self._eagerness[known - 1], 0, known - 1))

    def _make_customer(self, number: int) -> Person:
        if number == 0:
            # Known by name, to log in with
            return self._make("0", "Budi Santoso", "budi", Role.CUSTOMER, self._opened_s)
        bits = self._bits(f"name/{number}")
        bits, given = divmod(bits, len(GIVEN_NAMES))
        given_name, family_name = GIVEN_NAMES[given], FAMILY_NAMES[bits % len(FAMILY_NAMES)]
        account = f"{given_name}.{family_name}.{number}".lower()
        name = f"{given_name} {family_name}"
        return self._make(str(number), name, account, Role.CUSTOMER, self._joined_s(number))

    def _joined_s(self, number: int) -> int:
        # The square root makes later days likelier: a store that grows wins ever more customers
        return self._opened_s + int(self._span_s * ((number + 0.5) / self.customer_count) ** 0.5)

    def _make(self, key: str, name: str, account: str, role: Role, joined_s: int) -> Person:
        bits, ticket = divmod(self._bits(key), len(_CITY_TICKETS))
        bits, street = divmod(bits, len(STREETS))
        bits, house = divmod(bits, 240)
        bits, phone = divmod(bits, 90_000_000)
        city, region, postal_code = _CITY_TICKETS[ticket]
        return Person(
            id=timed_id("usr", joined_s * 1000, bits & (1 << 80) - 1),
            name=name,
            email=f"{account}@{MAIL_DOMAIN}",
            roles=(role,),
            joined_at=datetime.fromtimestamp(joined_s, UTC),
            phone=f"+62812{10_000_000 + phone}",
            street=f"Jalan {STREETS[street]} {house + 1}",
            city=city,
            region=region,
            postal_code=postal_code,
        )

    def _bits(self, key: str) -> int:
        # Far faster than a Random of its own for each person
        return int.from_bytes(blake2b(f"{self._seed}/{key}".encode(), digest_size=24).digest(), "big")
