"""
Countries and regions that addresses may name.

Of the countries that demand a region three have their list here; in the others any text passes.
"""

COUNTRY_CODES = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO "
    "BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CX CY CZ DE DJ DK DM "
    "DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR "
    "GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI "
    "KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN "
    "MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG "
    "PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN "
    "SO SR ST SV SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA "
    "VC VE VG VI VN VU WF WS YE YT ZA ZM ZW "
)
COUNTRIES = frozenset(COUNTRY_CODES.split())
NEEDS_REGION = frozenset({"AT", "CA", "CH", "DE", "EE", "ES", "FI", "FR", "LT", "LV", "RO", "US"})


def read_regions(text: str) -> dict[str, str]:
    """
    Read regions by code.

    read_regions("NY:New_York TX:Texas") → {"NY": "New York", "TX": "Texas"}
    """
    pairs = (part.partition(":") for part in text.split())
    return {code: name.replace("_", " ") for code, _, name in pairs}


REGIONS = {
    "US": read_regions(
        "AL:Alabama AK:Alaska AZ:Arizona AR:Arkansas CA:California CO:Colorado CT:Connecticut "
        "DE:Delaware DC:District_of_Columbia FL:Florida GA:Georgia HI:Hawaii ID:Idaho IL:Illinois "
        "IN:Indiana IA:Iowa KS:Kansas KY:Kentucky LA:Louisiana ME:Maine MD:Maryland "
        "MA:Massachusetts MI:Michigan MN:Minnesota MS:Mississippi MO:Missouri MT:Montana "
        "NE:Nebraska NV:Nevada NH:New_Hampshire NJ:New_Jersey NM:New_Mexico NY:New_York "
        "NC:North_Carolina ND:North_Dakota OH:Ohio OK:Oklahoma OR:Oregon PA:Pennsylvania "
        "RI:Rhode_Island SC:South_Carolina SD:South_Dakota TN:Tennessee TX:Texas UT:Utah "
        "VT:Vermont VA:Virginia WA:Washington WV:West_Virginia WI:Wisconsin WY:Wyoming "
    ),
    "CA": read_regions(
        "AB:Alberta BC:British_Columbia MB:Manitoba NL:Newfoundland_and_Labrador NB:New_Brunswick "
        "NS:Nova_Scotia NT:Northwest_Territories NU:Nunavut ON:Ontario PE:Prince_Edward_Island "
        "QC:Quebec SK:Saskatchewan YT:Yukon_Territory "
    ),
    "DE": read_regions(
        "NDS:Niedersachsen BAW:Baden-Württemberg BAY:Bayern BER:Berlin BRG:Brandenburg BRE:Bremen "
        "HAM:Hamburg HES:Hessen MEC:Mecklenburg-Vorpommern NRW:Nordrhein-Westfalen RHE:Rheinland- "
        "Pfalz SAR:Saarland SAS:Sachsen SAC:Sachsen-Anhalt SCN:Schleswig-Holstein THE:Thüringen "
    ),
}
