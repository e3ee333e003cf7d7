-- The numbering plan that a new installation begins with: the country codes
-- and networks that ITU-T has assigned (E.164, E.164.1 and the operational
-- bulletins), the areas of North America, and network types where a country's
-- plan tells them by prefix. An operator corrects it by /v1/numbering.
-- prefix,country,network,type,min_len,max_len
insert into core.numbering (prefix, country, network, type, min_len, max_len)
select f[1], nullif(f[2], ''), f[3], f[4], f[5]::integer, f[6]::integer
from (select string_to_array(line, ',') as f
	from regexp_split_to_table(trim(both E'\n' from $csv$
1,US,United States,geographic,11,11
1204,CA,Canada,geographic,11,11
1226,CA,Canada,geographic,11,11
1236,CA,Canada,geographic,11,11
1242,BS,Bahamas,geographic,11,11
1246,BB,Barbados,geographic,11,11
1249,CA,Canada,geographic,11,11
1250,CA,Canada,geographic,11,11
1257,CA,Canada,geographic,11,11
1263,CA,Canada,geographic,11,11
1264,AI,Anguilla,geographic,11,11
1268,AG,Antigua and Barbuda,geographic,11,11
1284,VG,British Virgin Islands,geographic,11,11
1289,CA,Canada,geographic,11,11
1306,CA,Canada,geographic,11,11
1340,VI,US Virgin Islands,geographic,11,11
1343,CA,Canada,geographic,11,11
1345,KY,Cayman Islands,geographic,11,11
1354,CA,Canada,geographic,11,11
1365,CA,Canada,geographic,11,11
1367,CA,Canada,geographic,11,11
1368,CA,Canada,geographic,11,11
1382,CA,Canada,geographic,11,11
1387,CA,Canada,geographic,11,11
1403,CA,Canada,geographic,11,11
1416,CA,Canada,geographic,11,11
1418,CA,Canada,geographic,11,11
1428,CA,Canada,geographic,11,11
1431,CA,Canada,geographic,11,11
1437,CA,Canada,geographic,11,11
1438,CA,Canada,geographic,11,11
1441,BM,Bermuda,geographic,11,11
1450,CA,Canada,geographic,11,11
1460,CA,Canada,geographic,11,11
1468,CA,Canada,geographic,11,11
1473,GD,Grenada,geographic,11,11
1474,CA,Canada,geographic,11,11
1500,US,North America,personal,11,11
1506,CA,Canada,geographic,11,11
1514,CA,Canada,geographic,11,11
1519,CA,Canada,geographic,11,11
1521,US,North America,personal,11,11
1522,US,North America,personal,11,11
1523,US,North America,personal,11,11
1524,US,North America,personal,11,11
1525,US,North America,personal,11,11
1526,US,North America,personal,11,11
1527,US,North America,personal,11,11
1528,US,North America,personal,11,11
1529,US,North America,personal,11,11
1533,US,North America,personal,11,11
1544,US,North America,personal,11,11
1548,CA,Canada,geographic,11,11
1566,US,North America,personal,11,11
1577,US,North America,personal,11,11
1579,CA,Canada,geographic,11,11
1581,CA,Canada,geographic,11,11
1584,CA,Canada,geographic,11,11
1587,CA,Canada,geographic,11,11
1588,US,North America,personal,11,11
1600,CA,Canada,personal,11,11
1604,CA,Canada,geographic,11,11
1613,CA,Canada,geographic,11,11
1622,CA,Canada,personal,11,11
1633,CA,Canada,personal,11,11
1639,CA,Canada,geographic,11,11
1644,CA,Canada,personal,11,11
1647,CA,Canada,geographic,11,11
1649,TC,Turks and Caicos Islands,geographic,11,11
1655,CA,Canada,personal,11,11
1658,JM,Jamaica,geographic,11,11
1664,MS,Montserrat,geographic,11,11
1670,MP,Northern Mariana Islands,geographic,11,11
1671,GU,Guam,geographic,11,11
1672,CA,Canada,geographic,11,11
1677,CA,Canada,personal,11,11
1683,CA,Canada,geographic,11,11
1684,AS,American Samoa,geographic,11,11
1688,CA,Canada,personal,11,11
1705,CA,Canada,geographic,11,11
1709,CA,Canada,geographic,11,11
1721,SX,Sint Maarten,geographic,11,11
1742,CA,Canada,geographic,11,11
1753,CA,Canada,geographic,11,11
1758,LC,Saint Lucia,geographic,11,11
1767,DM,Dominica,geographic,11,11
1778,CA,Canada,geographic,11,11
1780,CA,Canada,geographic,11,11
1782,CA,Canada,geographic,11,11
1784,VC,Saint Vincent,geographic,11,11
1787,PR,Puerto Rico,geographic,11,11
1800,US,North America,toll_free,11,11
1807,CA,Canada,geographic,11,11
1809,DO,Dominican Republic,geographic,11,11
1819,CA,Canada,geographic,11,11
1825,CA,Canada,geographic,11,11
1829,DO,Dominican Republic,geographic,11,11
1833,US,North America,toll_free,11,11
1844,US,North America,toll_free,11,11
1849,DO,Dominican Republic,geographic,11,11
1855,US,North America,toll_free,11,11
1866,US,North America,toll_free,11,11
1867,CA,Canada,geographic,11,11
1868,TT,Trinidad and Tobago,geographic,11,11
1869,KN,Saint Kitts and Nevis,geographic,11,11
1873,CA,Canada,geographic,11,11
1876,JM,Jamaica,geographic,11,11
1877,US,North America,toll_free,11,11
1879,CA,Canada,geographic,11,11
1888,US,North America,toll_free,11,11
1900,US,North America,premium,11,11
1902,CA,Canada,geographic,11,11
1905,CA,Canada,geographic,11,11
1939,PR,Puerto Rico,geographic,11,11
1942,CA,Canada,geographic,11,11
20,EG,Egypt,unknown,10,12
211,SS,South Sudan,unknown,12,12
212,MA,Morocco,unknown,12,12
213,DZ,Algeria,unknown,11,12
216,TN,Tunisia,unknown,11,11
218,LY,Libya,unknown,11,13
220,GM,Gambia,unknown,10,10
221,SN,Senegal,unknown,12,12
222,MR,Mauritania,unknown,11,11
223,ML,Mali,unknown,11,11
224,GN,Guinea,unknown,11,12
225,CI,Ivory Coast,unknown,11,13
226,BF,Burkina Faso,unknown,11,11
227,NE,Niger,unknown,11,11
228,TG,Togo,unknown,11,11
229,BJ,Benin,unknown,11,13
230,MU,Mauritius,unknown,10,13
231,LR,Liberia,unknown,10,12
232,SL,Sierra Leone,unknown,11,11
233,GH,Ghana,unknown,11,12
234,NG,Nigeria,unknown,10,14
235,TD,Chad,unknown,11,11
236,CF,Central African Republic,unknown,11,11
237,CM,Cameroon,unknown,11,12
238,CV,Cape Verde,unknown,10,10
239,ST,Sao Tome and Principe,unknown,10,10
240,GQ,Equatorial Guinea,unknown,12,12
241,GA,Gabon,unknown,10,11
242,CG,Congo,unknown,12,12
243,CD,Congo (Dem. Rep.),unknown,10,13
244,AO,Angola,unknown,12,12
245,GW,Guinea-Bissau,unknown,10,12
246,IO,Diego Garcia,unknown,10,10
247,AC,Ascension,unknown,7,9
248,SC,Seychelles,unknown,9,10
249,SD,Sudan,unknown,12,12
250,RW,Rwanda,unknown,11,12
251,ET,Ethiopia,unknown,12,12
252,SO,Somalia,unknown,8,12
253,DJ,Djibouti,unknown,11,11
254,KE,Kenya,unknown,9,13
255,TZ,Tanzania,unknown,12,13
256,UG,Uganda,unknown,12,12
257,BI,Burundi,unknown,11,11
258,MZ,Mozambique,unknown,11,12
260,ZM,Zambia,unknown,12,12
261,MG,Madagascar,unknown,12,13
262,RE,Reunion,unknown,12,12
262269,YT,Mayotte,unknown,12,12
262639,YT,Mayotte,unknown,12,12
263,ZW,Zimbabwe,unknown,8,13
264,NA,Namibia,unknown,9,13
265,MW,Malawi,unknown,10,12
266,LS,Lesotho,unknown,11,11
267,BW,Botswana,unknown,10,13
268,SZ,Eswatini,unknown,11,12
269,KM,Comoros,unknown,10,10
27,ZA,South Africa,unknown,7,12
290,SH,Saint Helena,unknown,7,8
2908,TA,Tristan da Cunha,unknown,7,8
291,ER,Eritrea,unknown,9,10
297,AW,Aruba,unknown,10,10
298,FO,Faroe Islands,unknown,9,9
299,GL,Greenland,unknown,9,9
30,GR,Greece,unknown,12,14
31,NL,Netherlands,unknown,7,13
316,NL,Netherlands,mobile,11,11
31800,NL,Netherlands,toll_free,8,12
3185,NL,Netherlands,voip,11,11
3188,NL,Netherlands,voip,11,11
31900,NL,Netherlands,premium,8,12
31906,NL,Netherlands,premium,8,12
31909,NL,Netherlands,premium,8,12
3191,NL,Netherlands,voip,11,11
32,BE,Belgium,unknown,10,11
3245,BE,Belgium,mobile,11,11
3246,BE,Belgium,mobile,11,11
3247,BE,Belgium,mobile,11,11
3248,BE,Belgium,mobile,11,11
3249,BE,Belgium,mobile,11,11
32800,BE,Belgium,toll_free,10,10
3290,BE,Belgium,premium,10,10
33,FR,France,geographic,11,11
336,FR,France,mobile,11,11
337,FR,France,mobile,11,11
33800,FR,France,toll_free,11,11
33801,FR,France,toll_free,11,11
33802,FR,France,toll_free,11,11
33803,FR,France,toll_free,11,11
33804,FR,France,toll_free,11,11
33805,FR,France,toll_free,11,11
33806,FR,France,shared_cost,11,11
33807,FR,France,shared_cost,11,11
33808,FR,France,shared_cost,11,11
33809,FR,France,shared_cost,11,11
3381,FR,France,shared_cost,11,11
3382,FR,France,shared_cost,11,11
3389,FR,France,premium,11,11
339,FR,France,voip,11,11
34,ES,Spain,unknown,11,11
346,ES,Spain,mobile,11,11
347,ES,Spain,mobile,11,11
34800,ES,Spain,toll_free,11,11
34803,ES,Spain,premium,11,11
34806,ES,Spain,premium,11,11
34807,ES,Spain,premium,11,11
34900,ES,Spain,toll_free,11,11
34901,ES,Spain,shared_cost,11,11
34902,ES,Spain,shared_cost,11,11
34905,ES,Spain,premium,11,11
350,GI,Gibraltar,unknown,11,11
351,PT,Portugal,unknown,12,14
351760,PT,Portugal,premium,12,12
351761,PT,Portugal,premium,12,12
351762,PT,Portugal,premium,12,12
351800,PT,Portugal,toll_free,12,12
35191,PT,Portugal,mobile,12,12
35192,PT,Portugal,mobile,12,12
35193,PT,Portugal,mobile,12,12
35196,PT,Portugal,mobile,12,12
352,LU,Luxembourg,unknown,7,14
353,IE,Ireland,unknown,10,14
35315,IE,Ireland,premium,10,13
3531800,IE,Ireland,toll_free,10,13
35383,IE,Ireland,mobile,12,12
35385,IE,Ireland,mobile,12,12
35386,IE,Ireland,mobile,12,12
35387,IE,Ireland,mobile,12,12
35389,IE,Ireland,mobile,12,12
354,IS,Iceland,unknown,10,12
355,AL,Albania,unknown,8,12
356,MT,Malta,unknown,11,11
357,CY,Cyprus,unknown,11,14
358,FI,Finland,unknown,8,15
35818,AX,Aland Islands,unknown,8,15
359,BG,Bulgaria,unknown,9,15
36,HU,Hungary,unknown,10,11
370,LT,Lithuania,unknown,11,11
371,LV,Latvia,unknown,11,11
372,EE,Estonia,unknown,10,13
373,MD,Moldova,unknown,11,11
374,AM,Armenia,unknown,11,11
375,BY,Belarus,unknown,9,14
376,AD,Andorra,unknown,9,12
377,MC,Monaco,unknown,8,12
378,SM,San Marino,unknown,9,13
379,VA,Vatican City,unknown,9,14
380,UA,Ukraine,unknown,12,13
381,RS,Serbia,unknown,9,15
382,ME,Montenegro,unknown,7,15
383,XK,Kosovo,unknown,11,15
385,HR,Croatia,unknown,9,15
386,SI,Slovenia,unknown,8,11
387,BA,Bosnia and Herzegovina,unknown,11,12
389,MK,North Macedonia,unknown,11,11
39,IT,Italy,unknown,8,14
3906698,VA,Vatican City,unknown,8,14
393,IT,Italy,mobile,11,13
39800,IT,Italy,toll_free,8,12
39803,IT,Italy,toll_free,8,12
3984,IT,Italy,shared_cost,8,12
3989,IT,Italy,premium,8,12
40,RO,Romania,unknown,11,11
41,CH,Switzerland,geographic,11,14
4151,CH,Switzerland,corporate,11,11
4158,CH,Switzerland,corporate,11,11
4174,CH,Switzerland,mobile,11,11
4175,CH,Switzerland,mobile,11,11
4176,CH,Switzerland,mobile,11,11
4177,CH,Switzerland,mobile,11,11
4178,CH,Switzerland,mobile,11,11
4179,CH,Switzerland,mobile,11,11
41800,CH,Switzerland,toll_free,11,11
41840,CH,Switzerland,shared_cost,11,11
41842,CH,Switzerland,shared_cost,11,11
41844,CH,Switzerland,shared_cost,11,11
41848,CH,Switzerland,shared_cost,11,11
41878,CH,Switzerland,personal,11,11
41900,CH,Switzerland,premium,11,11
41901,CH,Switzerland,premium,11,11
41906,CH,Switzerland,premium,11,11
420,CZ,Czechia,unknown,12,15
42060,CZ,Czechia,mobile,12,12
42070,CZ,Czechia,mobile,12,12
42072,CZ,Czechia,mobile,12,12
42073,CZ,Czechia,mobile,12,12
42077,CZ,Czechia,mobile,12,12
42079,CZ,Czechia,mobile,12,12
420800,CZ,Czechia,toll_free,12,12
420900,CZ,Czechia,premium,12,12
420906,CZ,Czechia,premium,12,12
420909,CZ,Czechia,premium,12,12
421,SK,Slovakia,unknown,9,12
423,LI,Liechtenstein,unknown,10,12
4234,LI,Liechtenstein,mobile,9,12
4236,LI,Liechtenstein,mobile,9,12
4237,LI,Liechtenstein,mobile,9,12
43,AT,Austria,geographic,6,15
43650,AT,Austria,mobile,9,15
43652,AT,Austria,mobile,9,15
43653,AT,Austria,mobile,9,15
43655,AT,Austria,mobile,9,15
43657,AT,Austria,mobile,9,15
43659,AT,Austria,mobile,9,15
43660,AT,Austria,mobile,9,15
43661,AT,Austria,mobile,9,15
43663,AT,Austria,mobile,9,15
43664,AT,Austria,mobile,9,15
43665,AT,Austria,mobile,9,15
43666,AT,Austria,mobile,9,15
43667,AT,Austria,mobile,9,15
43668,AT,Austria,mobile,9,15
43669,AT,Austria,mobile,9,15
43670,AT,Austria,mobile,9,15
43676,AT,Austria,mobile,9,15
43677,AT,Austria,mobile,9,15
43678,AT,Austria,mobile,9,15
43680,AT,Austria,mobile,9,15
43681,AT,Austria,mobile,9,15
43686,AT,Austria,mobile,9,15
43688,AT,Austria,mobile,9,15
43689,AT,Austria,mobile,9,15
43690,AT,Austria,mobile,9,15
43699,AT,Austria,mobile,9,15
43710,AT,Austria,service,6,15
43711,AT,Austria,service,6,15
43718,AT,Austria,service,6,15
43720,AT,Austria,voip,8,15
43780,AT,Austria,voip,8,15
43800,AT,Austria,toll_free,8,15
43802,AT,Austria,toll_free,8,15
43810,AT,Austria,shared_cost,8,15
43820,AT,Austria,shared_cost,8,15
43821,AT,Austria,shared_cost,8,15
43900,AT,Austria,premium,8,15
43901,AT,Austria,premium,8,15
43930,AT,Austria,premium,8,15
43931,AT,Austria,premium,8,15
43939,AT,Austria,premium,8,15
44,GB,United Kingdom,geographic,9,12
441481,GG,Guernsey,geographic,12,12
441534,JE,Jersey,geographic,12,12
441624,IM,Isle of Man,geographic,11,12
443,GB,United Kingdom,shared_cost,12,12
44500,GB,United Kingdom,toll_free,11,12
4455,GB,United Kingdom,corporate,12,12
4456,GB,United Kingdom,voip,12,12
4470,GB,United Kingdom,personal,12,12
4471,GB,United Kingdom,mobile,12,12
4472,GB,United Kingdom,mobile,12,12
4473,GB,United Kingdom,mobile,12,12
4474,GB,United Kingdom,mobile,12,12
4475,GB,United Kingdom,mobile,12,12
447509,JE,Jersey,mobile,12,12
447524,IM,Isle of Man,mobile,12,12
4476,GB,United Kingdom,pager,12,12
447624,IM,Isle of Man,mobile,12,12
4477,GB,United Kingdom,mobile,12,12
447781,GG,Guernsey,mobile,12,12
447797,JE,Jersey,mobile,12,12
4478,GB,United Kingdom,mobile,12,12
447829,JE,Jersey,mobile,12,12
447839,GG,Guernsey,mobile,12,12
4479,GB,United Kingdom,mobile,12,12
447911,GG,Guernsey,mobile,12,12
447924,IM,Isle of Man,mobile,12,12
447937,JE,Jersey,mobile,12,12
44800,GB,United Kingdom,toll_free,9,12
44808,GB,United Kingdom,toll_free,9,12
44843,GB,United Kingdom,shared_cost,9,12
44844,GB,United Kingdom,shared_cost,9,12
44845,GB,United Kingdom,shared_cost,9,12
44870,GB,United Kingdom,shared_cost,9,12
44871,GB,United Kingdom,shared_cost,9,12
44872,GB,United Kingdom,shared_cost,9,12
44873,GB,United Kingdom,shared_cost,9,12
449,GB,United Kingdom,premium,12,12
4498,GB,United Kingdom,premium,12,12
45,DK,Denmark,unknown,10,10
4580,DK,Denmark,toll_free,10,10
45800,DK,Denmark,toll_free,10,10
4590,DK,Denmark,premium,10,10
46,SE,Sweden,unknown,8,15
4620,SE,Sweden,toll_free,8,13
46200,SE,Sweden,toll_free,8,13
4670,SE,Sweden,mobile,11,11
4672,SE,Sweden,mobile,11,11
4673,SE,Sweden,mobile,11,11
4676,SE,Sweden,mobile,11,11
4679,SE,Sweden,mobile,11,11
46900,SE,Sweden,premium,8,13
46939,SE,Sweden,premium,8,13
46944,SE,Sweden,premium,8,13
47,NO,Norway,unknown,7,14
474,NO,Norway,mobile,10,10
4779,SJ,Svalbard and Jan Mayen,unknown,10,10
47800,NO,Norway,toll_free,10,10
47801,NO,Norway,toll_free,10,10
47820,NO,Norway,premium,10,10
47829,NO,Norway,premium,10,10
479,NO,Norway,mobile,10,10
48,PL,Poland,unknown,8,12
4845,PL,Poland,mobile,11,11
4850,PL,Poland,mobile,11,11
4851,PL,Poland,mobile,11,11
4853,PL,Poland,mobile,11,11
4857,PL,Poland,mobile,11,11
4860,PL,Poland,mobile,11,11
4866,PL,Poland,mobile,11,11
4869,PL,Poland,mobile,11,11
4870,PL,Poland,premium,11,11
4872,PL,Poland,mobile,11,11
4873,PL,Poland,mobile,11,11
4878,PL,Poland,mobile,11,11
4879,PL,Poland,mobile,11,11
48800,PL,Poland,toll_free,11,11
4888,PL,Poland,mobile,11,11
49,DE,Germany,geographic,7,15
49118,DE,Germany,service,7,11
49137,DE,Germany,shared_cost,10,13
4915,DE,Germany,mobile,12,13
4916,DE,Germany,mobile,12,13
4917,DE,Germany,mobile,12,13
4918,DE,Germany,service,7,14
49180,DE,Germany,shared_cost,10,14
4919,DE,Germany,service,6,14
4932,DE,Germany,voip,12,13
49700,DE,Germany,personal,13,13
49800,DE,Germany,toll_free,12,14
49900,DE,Germany,premium,12,14
500,FK,Falkland Islands,unknown,8,8
501,BZ,Belize,unknown,10,14
502,GT,Guatemala,unknown,11,14
503,SV,El Salvador,unknown,10,14
504,HN,Honduras,unknown,11,14
505,NI,Nicaragua,unknown,11,11
506,CR,Costa Rica,unknown,11,13
507,PA,Panama,unknown,10,14
508,PM,Saint Pierre and Miquelon,unknown,9,12
509,HT,Haiti,unknown,11,11
51,PE,Peru,unknown,10,13
52,MX,Mexico,unknown,12,13
53,CU,Cuba,unknown,8,12
54,AR,Argentina,unknown,12,13
55,BR,Brazil,unknown,10,13
56,CL,Chile,unknown,10,13
57,CO,Colombia,unknown,10,13
58,VE,Venezuela,unknown,12,12
590,GP,Guadeloupe,unknown,12,12
591,BO,Bolivia,unknown,11,12
592,GY,Guyana,unknown,10,10
593,EC,Ecuador,unknown,11,14
594,GF,French Guiana,unknown,12,12
595,PY,Paraguay,unknown,8,14
596,MQ,Martinique,unknown,12,12
597,SR,Suriname,unknown,9,10
598,UY,Uruguay,unknown,7,15
599,CW,Curacao,unknown,10,11
5993,BQ,Caribbean Netherlands,unknown,10,11
5994,BQ,Caribbean Netherlands,unknown,10,11
5997,BQ,Caribbean Netherlands,unknown,10,11
60,MY,Malaysia,unknown,9,12
61,AU,Australia,unknown,7,14
611300,AU,Australia,toll_free,8,12
611800,AU,Australia,toll_free,8,12
611900,AU,Australia,premium,8,12
614,AU,Australia,mobile,11,11
6189162,CC,Cocos Islands,unknown,11,11
6189164,CX,Christmas Island,unknown,11,11
62,ID,Indonesia,unknown,7,15
63,PH,Philippines,unknown,8,15
64,NZ,New Zealand,unknown,5,12
65,SG,Singapore,unknown,10,14
66,TH,Thailand,unknown,10,15
670,TL,Timor-Leste,unknown,10,11
672,NF,Norfolk Island,unknown,8,9
6721,AQ,Australian Antarctic,unknown,9,9
673,BN,Brunei,unknown,10,10
674,NR,Nauru,unknown,7,10
675,PG,Papua New Guinea,unknown,7,14
676,TO,Tonga,unknown,8,10
677,SB,Solomon Islands,unknown,8,10
678,VU,Vanuatu,unknown,8,10
679,FJ,Fiji,unknown,10,14
680,PW,Palau,unknown,10,10
681,WF,Wallis and Futuna,unknown,9,12
682,CK,Cook Islands,unknown,8,8
683,NU,Niue,unknown,7,10
685,WS,Samoa,unknown,6,13
686,KI,Kiribati,unknown,8,11
687,NC,New Caledonia,unknown,9,9
688,TV,Tuvalu,unknown,8,10
689,PF,French Polynesia,unknown,9,12
690,TK,Tokelau,unknown,7,10
691,FM,Micronesia,unknown,10,10
692,MH,Marshall Islands,unknown,10,10
7,RU,Russia,unknown,11,11
76,KZ,Kazakhstan,unknown,11,11
77,KZ,Kazakhstan,unknown,11,11
770,KZ,Kazakhstan,mobile,11,11
774,KZ,Kazakhstan,mobile,11,11
775,KZ,Kazakhstan,mobile,11,11
776,KZ,Kazakhstan,mobile,11,11
777,KZ,Kazakhstan,mobile,11,11
778,KZ,Kazakhstan,mobile,11,11
7800,RU,Russia,toll_free,11,11
7809,RU,Russia,premium,11,11
79,RU,Russia,mobile,11,11
800,,International freephone,toll_free,11,11
808,,International shared cost,shared_cost,11,11
81,JP,Japan,unknown,10,15
81120,JP,Japan,toll_free,11,12
8170,JP,Japan,mobile,12,12
8180,JP,Japan,mobile,12,12
81800,JP,Japan,toll_free,11,12
8190,JP,Japan,mobile,12,12
82,KR,South Korea,unknown,7,14
84,VN,Vietnam,unknown,9,14
850,KP,North Korea,unknown,9,15
852,HK,Hong Kong,unknown,7,14
853,MO,Macao,unknown,10,11
855,KH,Cambodia,unknown,11,13
856,LA,Laos,unknown,11,13
86,CN,China,unknown,7,14
8613,CN,China,mobile,13,13
8614,CN,China,mobile,13,13
8615,CN,China,mobile,13,13
8616,CN,China,mobile,13,13
8617,CN,China,mobile,13,13
8618,CN,China,mobile,13,13
8619,CN,China,mobile,13,13
870,,Inmarsat,satellite,9,15
878,,Universal personal telecommunication,personal,10,15
880,BD,Bangladesh,unknown,9,13
881,,Global mobile satellite,satellite,8,15
8816,,Iridium,satellite,8,15
8817,,Iridium,satellite,8,15
8818,,Globalstar,satellite,8,15
8819,,Globalstar,satellite,8,15
882,,International networks,international,7,15
88213,,EMSAT,satellite,7,15
88216,,Thuraya,satellite,7,15
883,,International networks,international,7,15
886,TW,Taiwan,unknown,10,14
888,,Disaster relief,international,7,15
90,TR,Turkey,unknown,9,15
90392,CY,Northern Cyprus,unknown,12,12
9050,TR,Turkey,mobile,12,12
9053,TR,Turkey,mobile,12,12
9054,TR,Turkey,mobile,12,12
9055,TR,Turkey,mobile,12,12
90800,TR,Turkey,toll_free,12,12
90900,TR,Turkey,premium,12,12
91,IN,India,unknown,9,15
92,PK,Pakistan,unknown,10,14
93,AF,Afghanistan,unknown,9,11
94,LK,Sri Lanka,unknown,9,11
95,MM,Myanmar,unknown,8,12
960,MV,Maldives,unknown,10,13
961,LB,Lebanon,unknown,10,11
962,JO,Jordan,unknown,8,12
963,SY,Syria,unknown,11,13
964,IQ,Iraq,unknown,11,13
965,KW,Kuwait,unknown,10,11
966,SA,Saudi Arabia,unknown,11,15
967,YE,Yemen,unknown,9,12
968,OM,Oman,unknown,10,12
970,PS,Palestine,unknown,11,13
971,AE,United Arab Emirates,unknown,8,15
972,IL,Israel,unknown,10,15
973,BH,Bahrain,unknown,11,11
974,QA,Qatar,unknown,6,14
975,BT,Bhutan,unknown,10,11
976,MN,Mongolia,unknown,10,13
977,NP,Nepal,unknown,11,14
979,,International premium rate,premium,12,12
98,IR,Iran,unknown,6,12
991,,International trial,international,7,15
992,TJ,Tajikistan,unknown,12,12
993,TM,Turkmenistan,unknown,11,11
994,AZ,Azerbaijan,unknown,11,12
995,GE,Georgia,unknown,9,12
996,KG,Kyrgyzstan,unknown,12,13
998,UZ,Uzbekistan,unknown,12,12
$csv$), E'\n') as line) lines;
