"""What the seeded store sells. Prices in rupiah, weights in grams."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Variant:
    """A size or colour; *price* and *weight* multiply those of its line."""

    label: str
    price: float = 1.0
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Line:
    """A product in its variants."""

    name: str
    description: str
    price: int
    weight_grams: int
    variants: tuple[Variant, ...]


@dataclass(frozen=True, slots=True)
class Shelf:
    """A category with its lines; *code* begins its SKUs, *aisle* is the category above."""

    name: str
    code: str
    aisle: str
    lines: tuple[Line, ...]


BAG = (Variant("200 g"), Variant("500 g", 2.3, 2.5), Variant("1 kg", 4.2, 5.0))
TIN = (Variant("100 g"), Variant("250 g", 2.3, 2.5))
BOTTLE = (Variant("150 ml"), Variant("350 ml", 2.1, 2.2))
SNACK = (Variant("150 g"), Variant("350 g", 2.1, 2.3), Variant("toples 500 g", 3.2, 3.6))
SHIRT = (Variant("S"), Variant("M"), Variant("L", 1.04, 1.08), Variant("XL", 1.08, 1.15))
CLOTH = (Variant("110 x 200 cm"), Variant("110 x 250 cm", 1.22, 1.25))
SIZE = (Variant("kecil"), Variant("sedang", 1.6, 1.8), Variant("besar", 2.4, 3.0))
SOAP = (Variant("100 g"), Variant("isi 3", 2.7, 3.0))
OIL = (Variant("30 ml"), Variant("100 ml", 2.6, 3.0))
TONES = (Variant("cokelat"), Variant("hitam"), Variant("merah bata"))
FEET = tuple(Variant(f"ukuran {number}") for number in range(37, 44))
ONE = (Variant(""),)
SHEETS = (Variant("A5"), Variant("A4", 1.6, 1.9))

SHELVES = (
    Shelf(
        "Kopi",
        "KOP",
        "Makanan & Minuman",
        (
            Line(
                "Kopi Arabika Gayo", "Biji kopi dari dataran tinggi Gayo, Aceh: rempah dan cokelat.", 68_000, 220, BAG
            ),
            Line(
                "Kopi Arabika Toraja Sapan",
                "Petik merah dari Sapan, Toraja: bersih, dengan asam buah.",
                78_000,
                220,
                BAG,
            ),
            Line("Kopi Arabika Kintamani", "Diolah basah di Kintamani, Bali: segar seperti jeruk.", 72_000, 220, BAG),
            Line("Kopi Arabika Flores Bajawa", "Dari lereng Inerie: karamel dan kacang.", 70_000, 220, BAG),
            Line("Kopi Robusta Lampung", "Pekat dan pahit, untuk kopi tubruk dan kopi susu.", 38_000, 220, BAG),
            Line("Kopi Robusta Temanggung", "Beraroma tembakau dan gula aren.", 42_000, 220, BAG),
            Line("Kopi Liberika Meranti", "Beraroma nangka, dari lahan gambut Riau.", 55_000, 220, BAG),
        ),
    ),
    Shelf(
        "Teh",
        "TEH",
        "Makanan & Minuman",
        (
            Line("Teh Hitam Kayu Aro", "Teh ortodoks dari Kerinci, Jambi.", 32_000, 110, TIN),
            Line("Teh Hijau Gambung", "Pucuk muda dari Gambung, Bandung.", 36_000, 110, TIN),
            Line("Teh Putih Silver Needle", "Pucuk berbulu perak, dipetik sebelum matahari naik.", 125_000, 110, TIN),
            Line("Teh Melati Pekalongan", "Teh wangi dengan bunga melati gambir.", 24_000, 110, TIN),
            Line("Wedang Uwuh Imogiri", "Kayu secang, jahe, cengkih dan daun kayu manis.", 28_000, 130, TIN),
        ),
    ),
    Shelf(
        "Rempah & Bumbu",
        "BMB",
        "Makanan & Minuman",
        (
            Line("Lada Hitam Lampung", "Butir utuh, dijemur di kebun.", 29_000, 110, TIN),
            Line("Lada Putih Muntok", "Lada dari Bangka yang dikenal sejak abad ke-18.", 39_000, 110, TIN),
            Line("Pala Banda Utuh", "Biji pala dengan fuli kering dari Kepulauan Banda.", 46_000, 110, TIN),
            Line("Cengkih Ternate", "Kuncup cengkih kering dari Ternate.", 34_000, 110, TIN),
            Line("Kayu Manis Kerinci", "Kulit gulung dari Kerinci.", 27_000, 110, TIN),
            Line("Vanili Alor Grade A", "Polong panjang, lembap dan mengkilap.", 210_000, 60, ONE),
            Line("Bumbu Rendang", "Pasta siap masak untuk satu kilogram daging.", 26_000, 160, BOTTLE),
            Line("Sambal Roa Manado", "Cabai rawit dengan ikan roa asap.", 38_000, 190, BOTTLE),
            Line("Sambal Matah Bali", "Bawang merah, serai dan minyak kelapa.", 36_000, 190, BOTTLE),
            Line("Kecap Manis Benteng", "Kedelai hitam dan gula kelapa, masak tungku.", 24_000, 210, BOTTLE),
            Line("Gula Aren Semut", "Gula nira kristal dari Lebak.", 22_000, 220, BAG),
            Line("Garam Piramid Amed", "Bunga garam dari Amed, Bali.", 33_000, 110, TIN),
        ),
    ),
    Shelf(
        "Camilan",
        "CML",
        "Makanan & Minuman",
        (
            Line("Keripik Tempe Malang", "Tempe tipis digoreng renyah dengan daun jeruk.", 17_000, 170, SNACK),
            Line("Keripik Singkong Balado", "Singkong iris dengan cabai Padang.", 18_000, 170, SNACK),
            Line("Rempeyek Kacang", "Rempeyek rumahan dari Bantul.", 19_000, 170, SNACK),
            Line("Emping Melinjo Pedas", "Emping tumbuk tangan dari Banten.", 27_000, 170, SNACK),
            Line("Kerupuk Kemplang Palembang", "Ikan tenggiri, dipanggang.", 25_000, 170, SNACK),
            Line("Dodol Garut Original", "Ketan, santan dan gula merah.", 21_000, 170, SNACK),
            Line("Pie Susu Bali", "Kulit renyah, isi susu.", 32_000, 200, SNACK),
            Line("Cokelat Hitam Jembrana 70%", "Kakao fermentasi dari Bali, dari biji ke batang.", 45_000, 90, ONE),
        ),
    ),
    Shelf(
        "Madu & Minyak",
        "MDU",
        "Makanan & Minuman",
        (
            Line("Madu Hutan Sumbawa", "Panen lestari oleh para pemanjat pohon boan.", 68_000, 220, BOTTLE),
            Line("Madu Klanceng", "Madu lebah tanpa sengat, asam segar.", 95_000, 220, BOTTLE),
            Line("Minyak Kelapa Murni", "Perasan dingin dari kelapa tua.", 42_000, 180, BOTTLE),
            Line("Minyak Tawon Makassar", "Minyak gosok dari Makassar.", 39_000, 80, OIL),
        ),
    ),
    Shelf(
        "Batik & Tenun",
        "BTK",
        "Busana",
        (
            Line("Kain Batik Tulis Lasem", "Batik tulis tiga negeri, merah darah ayam.", 1_250_000, 350, CLOTH),
            Line("Kain Batik Cap Pekalongan", "Batik cap motif jlamprang.", 185_000, 320, CLOTH),
            Line("Kain Batik Mega Mendung", "Batik cap Cirebon bergradasi tujuh warna.", 210_000, 320, CLOTH),
            Line("Tenun Ikat Sumba", "Tenun ikat pewarna alam dari Sumba Timur.", 1_650_000, 700, CLOTH),
            Line("Kain Lurik Klaten", "Lurik tenun bukan mesin.", 145_000, 300, CLOTH),
            Line("Ulos Ragihotang", "Ulos tenun tangan dari Tarutung.", 480_000, 450, ONE),
            Line("Songket Palembang Lepus", "Benang emas pada sutra.", 2_400_000, 600, ONE),
        ),
    ),
    Shelf(
        "Kemeja & Blus",
        "KMJ",
        "Busana",
        (
            Line("Kemeja Batik Parang", "Katun prima, potongan pas badan.", 219_000, 280, SHIRT),
            Line("Kemeja Batik Kawung", "Katun prima, lengan pendek.", 199_000, 260, SHIRT),
            Line("Kemeja Lurik Kerja", "Lurik Klaten, kerah berdiri.", 245_000, 290, SHIRT),
            Line("Blus Tenun Endek", "Endek Bali, kancing depan.", 265_000, 240, SHIRT),
            Line("Kaus Katun Aksara Jawa", "Katun organik 24s, sablon air.", 99_000, 200, SHIRT),
            Line("Kaus Katun Wayang", "Katun organik 24s, sablon air.", 99_000, 200, SHIRT),
            Line("Sarung Tenun Samarinda", "Tenun gedogan Samarinda.", 335_000, 420, ONE),
        ),
    ),
    Shelf(
        "Kerajinan",
        "KRJ",
        "Rumah",
        (
            Line("Keranjang Rotan Kalimantan", "Anyaman rotan Dayak dengan motif bunga terong.", 165_000, 700, SIZE),
            Line("Tas Noken Papua", "Rajutan serat kulit kayu; warisan budaya takbenda.", 275_000, 300, SIZE),
            Line("Anyaman Mendong Tasikmalaya", "Kotak anyaman mendong bertutup.", 69_000, 350, SIZE),
            Line("Wayang Kulit Arjuna", "Kulit kerbau, tatah sungging Wonogiri.", 390_000, 350, SIZE),
            Line("Topeng Panji Cirebon", "Ukiran kayu jaran.", 320_000, 600, ONE),
            Line("Ukiran Jati Jepara", "Panel dinding ukir daun.", 450_000, 2_400, SIZE),
            Line("Angklung Set Satu Oktaf", "Bambu wulung, nada C sampai C.", 385_000, 1_800, ONE),
        ),
    ),
    Shelf(
        "Dapur",
        "DPR",
        "Rumah",
        (
            Line("Cobek Batu Muntilan", "Batu andesit dengan ulekan.", 85_000, 2_500, SIZE),
            Line("Wajan Besi Tempa", "Ditempa tangan, dasar cekung.", 145_000, 1_600, SIZE),
            Line("Talenan Kayu Jati", "Jati utuh, tanpa lem.", 98_000, 1_100, SIZE),
            Line("Mangkuk Keramik Kasongan", "Glasir bebas timbal.", 58_000, 450, SIZE),
            Line("Set Sendok Kayu Sawo", "Enam buah, digosok minyak kelapa.", 74_000, 260, ONE),
            Line("Kukusan Bambu", "Anyaman bambu apus dengan tutup.", 48_000, 400, SIZE),
            Line("Termos Nasi Anyam", "Lapis bambu, hangat empat jam.", 129_000, 900, SIZE),
        ),
    ),
    Shelf(
        "Perawatan Tubuh",
        "PRW",
        "Kesehatan",
        (
            Line("Sabun Sereh", "Sabun dingin minyak sereh wangi.", 24_000, 110, SOAP),
            Line("Sabun Kelapa Kunyit", "Sabun dingin kelapa dan kunyit.", 24_000, 110, SOAP),
            Line("Lulur Bali Boreh", "Beras, cengkih dan jahe merah.", 45_000, 220, ONE),
            Line("Minyak Cendana Timor", "Minyak atsiri suling uap.", 240_000, 60, OIL),
            Line("Minyak Nilam Aceh", "Minyak atsiri suling uap.", 88_000, 60, OIL),
            Line("Minyak Kayu Putih Buru", "Suling tradisional Pulau Buru.", 35_000, 60, OIL),
            Line("Jamu Kunyit Asam", "Serbuk tanpa pengawet, dua belas saset.", 36_000, 180, ONE),
            Line("Jamu Beras Kencur", "Serbuk tanpa pengawet, dua belas saset.", 36_000, 180, ONE),
        ),
    ),
    Shelf(
        "Buku & Alat Tulis",
        "TLS",
        "Rumah",
        (
            Line("Buku Catatan Kertas Daluang", "Kertas kulit kayu, jahit tangan.", 89_000, 260, SHEETS),
            Line("Buku Gambar Sampul Batik", "Seratus lembar tanpa garis.", 52_000, 320, SHEETS),
            Line("Kartu Pos Nusantara", "Dua puluh lukisan cat air.", 45_000, 120, ONE),
            Line("Pena Bambu", "Isi ulang standar.", 28_000, 30, ONE),
            Line("Peta Kopi Indonesia", "Cetak seni pada kertas 200 g.", 110_000, 300, SHEETS),
        ),
    ),
    Shelf(
        "Tas & Aksesori",
        "AKS",
        "Busana",
        (
            Line("Tas Tenun Toraja", "Tenun Toraja dengan alas kulit sapi.", 289_000, 450, SIZE),
            Line("Dompet Kulit Garut", "Kulit domba samak nabati.", 159_000, 140, TONES),
            Line("Ikat Pinggang Kulit Magetan", "Kulit sapi utuh, gesper kuningan.", 175_000, 260, TONES),
            Line("Sandal Kulit Magetan", "Jahit samping, sol karet.", 185_000, 600, FEET),
            Line("Selop Batik", "Kain batik sisa produksi, sol gabus.", 129_000, 380, FEET),
            Line("Blangkon Yogya", "Mondolan, kain batik tulis.", 145_000, 150, SIZE),
            Line("Kalung Manik Kalimantan", "Manik kaca dengan pola Dayak Kenyah.", 135_000, 90, TONES),
            Line("Gelang Perak Kotagede", "Perak 925 dengan filigri.", 310_000, 40, SIZE),
        ),
    ),
)
