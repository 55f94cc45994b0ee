/**
 * The passwords of eight characters and more that leaks hold most often, in lower case: what an attacker tries first
 * and has time for, given how attempts are slowed down.
 *
 * @see NIST SP 800-63B-4 §3.1.1.2 on the size of such a list
 */
export const commonPasswords: ReadonlySet<string> = new Set(
  `
12345678 123456789 1234567890 12345678910 123456789a 123456789q 1234567891 0123456789 0987654321 987654321 87654321
11111111 111111111 1111111111 00000000 000000000 0000000000 22222222 33333333 44444444 55555555 66666666 77777777
88888888 99999999 12341234 11223344 1122334455 12121212 123123123 123321123 12344321 123454321 12345679 12345678a
1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx 1qaz2wsx3edc 1qazxsw2 qazwsxedc qazwsx123 q1w2e3r4 q1w2e3r4t5 zaq12wsx
zaq1xsw2 zaq1zaq1 1qaz1qaz 2wsx3edc qwer1234 qwerty12 qwerty123 qwerty1234 qwerty12345 qwerty123456 qwertyui
qwertyuiop qwertyuiop123 qwerty11 qwerty22 qwertz123 asdf1234 asdfasdf asdfghjk asdfghjkl asdfgh123 asdfqwer asdqwe123
asd123456 zxcvbnm1 zxcvbnm123 zxcv1234 zxcvzxcv qweasdzxc qweasd123 qwe123qwe 123qweasd 123qweasdzxc 123qwe123
1234qwer 123456qwerty 12345qwert 12345qwerty 1234asdf abcd1234 abcd12345 abcdefgh abcdefg1 abcdefg123 abc12345
abc123456 abc123abc abc123def abcabc123 a1b2c3d4 a1b2c3d4e5 a12345678 a123456789 aa123456 aa12345678 aaaaaaaa aaaa1111
aaa111aaa password password1 password2 password3 password4 password5 password6 password7 password8 password9 password0
password10 password11 password12 password13 password21 password22 password23 password69 password77 password88
password99 password01 password123 password1234 password12345 password123456 password! password1! password12!
password123! password1234! passw0rd passw0rd1 passw0rd! passw0rd123 p@ssw0rd p@ssw0rd1 p@ssw0rd! p@ssw0rd123 p@ssword
p@ssword1 p@ssword123 p@55w0rd pa$$word pa$$w0rd pa55word pa55w0rd passwort passwort1 passwort123 passwordd passwords
mypassword mypassword1 thepassword newpassword newpassword1 oldpassword yourpassword nopassword password2010
password2015 password2016 password2017 password2018 password2019 password2020 password2021 password2022 password2023
password2024 password2025 password2026 password2027 passpass pass1234 pass12345 pass123456 passphrase motdepasse
motdepasse1 contrasena contraseña contrasena1 senha123 senha1234 senha12345 wachtwoord wachtwoord1 lozinka123 haslo123
haslo1234 parola123 parola12 heslo1234 salasana salasana1 passord1 passord123 losenord lösenord passwort! kennwort
kennwort1 geheim123 geheim1234 hallo123 hallo1234 hallo12345 schatz123 sommer123 winter123 iloveyou iloveyou1
iloveyou2 iloveyou3 iloveyou! iloveyou123 iloveyou12 ilovegod ilovejesus ilovehim iloveher ilovemyself ilovemom
ilovemum iloveme1 iloveme123 iloveyouso iloveu123 loveyou1 loveyou123 loveme123 lovelove lovely123 lover123 loveless
love1234 love12345 love4ever forever1 forever21 forever123 welcome1 welcome2 welcome3 welcome12 welcome123 welcome1234
welcome12345 welcome! welcome1! welcome01 welcome123! welcome2020 welcome2021 welcome2022 welcome2023 welcome2024
welcome2025 welcome2026 welcome@123 letmein1 letmein! letmein123 letmein12 letmein1234 letmeinnow changeme changeme1
changeme! changeme123 changeit changethis changemenow default1 default123 admin123 admin1234 admin12345 admin123456
admin123! admin@123 admin@1234 adminadmin admin2020 admin2021 admin2022 admin2023 admin2024 admin2025 admin2026
administrator administrator1 administrateur root1234 root12345 rootroot toor1234 superuser superadmin sysadmin
sysadmin1 webadmin masteradmin guest123 guest1234 guestguest user1234 user12345 useruser username username1 testtest
test1234 test12345 test123456 test123! testing1 testing123 tester123 testuser testpass testpassword temp1234 temp12345
temppass temppassword temporary temporary1 secret123 secret1234 secretsecret mysecret topsecret verysecret login123
login1234 loginlogin access123 access14 master123 master1234 masterkey computer computer1 computer123 internet
internet1 internet123 samsung1 samsung123 samsung12 iphone123 android1 android123 windows1 windows7 windows10
windows123 microsoft microsoft1 google123 google12 facebook facebook1 facebook123 youtube1 youtube123 myspace1
linkedin linkedin1 whatsapp instagram instagram1 twitter1 twitter123 snapchat snapchat1 minecraft minecraft1
minecraft123 fortnite fortnite1 fortnite123 roblox123 pokemon1 pokemon12 pokemon123 nintendo nintendo1 playstation
playstation1 xbox360x starcraft warcraft warcraft1 worldofwarcraft counterstrike halflife darkness sunshine sunshine1
sunshine2 sunshine12 sunshine123 princess princess1 princess2 princess12 princess123 princesa princesa1 football
football1 football12 football123 baseball baseball1 baseball12 baseball123 basketball basketball1 softball softball1
volleyball volleyball1 handball hockey123 soccer12 soccer123 swimming swimming1 football10 football11 superman
superman1 superman12 superman123 spiderman spiderman1 spiderman123 batman123 batman12 ironman1 ironman123 wolverine
deadpool deadpool1 catwoman starwars starwars1 starwars123 startrek startrek1 jedimaster darthvader skywalker
skywalker1 trustno1 trustno1! trustnoone trustme1 michael1 michael2 michael12 michael123 michelle michelle1
michelle123 jennifer jennifer1 jennifer123 jessica1 jessica12 jessica123 jordan23 jordan123 jordan12 joshua12
joshua123 jonathan jonathan1 jonathan123 alexander alexander1 alexander123 alexandra alexandra1 alejandro alejandra
elizabeth elizabeth1 stephanie stephanie1 stephen1 christian christian1 christian123 christine christine1 christopher
christopher1 christina christina1 cristina cristian catherine caroline caroline1 charlotte charlotte1 charlie1
charlie2 charlie12 charlie123 benjamin benjamin1 benjamin123 brandon1 brandon12 brandon123 brittany brittany1 danielle
danielle1 daniel12 daniel123 danielle123 dominique dominic1 fernando fernando1 francisco francesca francois gabriel1
gabriel123 gabriela gabrielle gabrielle1 isabella isabella1 isabelle jasmine1 jasmine123 jeremiah jeremy123 kimberly
kimberly1 lawrence leonardo leonardo1 madison1 madison123 margaret margarita marianne marie123 martinez matthew1
matthew2 matthew12 matthew123 maverick maverick1 mercedes mercedes1 montana1 nicholas nicholas1 nicholas123 nicole12
nicole123 patricia patricia1 patrick1 patrick123 raymond1 rebecca1 rebecca123 richard1 richard123 robert12 robert123
samantha samantha1 samantha123 sebastian sebastian1 thomas12 thomas123 valentina valentin valentine veronica veronica1
victoria victoria1 victoria123 vincent1 virginia william1 william123 william2 ashley12 ashley123 anthony1 anthony12
anthony123 amanda12 amanda123 andrea12 andrea123 andrew12 andrew123 angelina angelica angela123 antonio1 austin123
barbara1 beatrice bernard1 caitlin1 cameron1 cameron123 carolina carolina1 claudia1 courtney courtney1 crystal1
crystal123 cynthia1 december december1 november november1 october1 september september1 february february1 january1
january123 saturday saturday1 thursday thursday1 wednesday friday13 friday123 monday123 tuesday1 sunday123 summer01
summer08 summer09 summer10 summer11 summer12 summer123 summer2018 summer2019 summer2020 summer2021 summer2022
summer2023 summer2024 summer2025 summer2026 summer2020! summer2021! summer2022! summer2023! summer2024! summer2025!
summer2026! winter2018 winter2019 winter2020 winter2021 winter2022 winter2023 winter2024 winter2025 winter2026
winter2020! winter2021! winter2022! winter2023! winter2024! winter2025! winter2026! spring2020 spring2021 spring2022
spring2023 spring2024 spring2025 spring2026 autumn2020 autumn2021 autumn2022 autumn2023 autumn2024 autumn2025
autumn2026 autumn123 spring123 snowball snowball1 snowflake snowflake1 snowboard snowboard1 rainbow1 rainbow12
rainbow123 butterfly butterfly1 butterfly2 butterfly123 buttercup buttercup1 cupcake1 cupcake123 chocolate chocolate1
chocolate2 chocolate123 cookies1 cookie12 cookie123 cheese12 cheese123 cheesecake strawberry strawberry1 blueberry
cherry123 pineapple pineapple1 watermelon bananas1 banana12 banana123 apple123 apple1234 orange12 orange123 peaches1
pumpkin1 pumpkin123 peanut12 peanut123 pickles1 coffee123 cocacola cocacola1 pepsi123 heineken budlight guinness
smirnoff jackdaniels captain1 diamond1 diamond123 diamonds emerald1 sapphire platinum silver12 silver123 golden12
golden123 goldfish goldfish1 goldstar dolphin1 dolphin123 dolphins dolphins1 elephant elephant1 elephant123 kangaroo
monkey12 monkey123 monkey1234 monkeys1 penguin1 penguin123 penguins tiger123 tigers12 tigger12 tigger123 lionking
lionheart leopard1 panther1 panther123 panthers panthers1 jaguar123 cowboys1 cowboys123 cowgirl1 eagles12 eagles123
falcons1 steelers steelers1 steelers123 packers1 patriots patriots1 raiders1 raiders123 redskins redskins1 broncos1
broncos123 chargers chargers1 dodgers1 yankees1 yankees2 yankees123 redsox123 lakers24 lakers123 celtics1 chelsea1
chelsea12 chelsea123 arsenal1 arsenal12 arsenal123 liverpool liverpool1 liverpool123 everton1 manchester manchester1
manutd123 barcelona barcelona1 barcelona123 realmadrid realmadrid1 juventus juventus1 intermilan galatasaray
fenerbahce besiktas bayern123 dortmund schalke04 rangers1 rangers123 celtic123 ronaldo1 ronaldo7 ronaldo123 cristiano
cristiano7 messi123 lionelmessi maradona ferrari1 ferrari123 porsche1 porsche911 mustang1 mustang123 camaro123
corvette corvette1 chevrolet chevy123 mercedes123 bmw12345 toyota123 harley12 harley123 harleydavidson davidson
kawasaki yamaha123 suzuki123 honda123 motorola motorola1 panasonic hewlett1 logitech creative creative1 thunder1
thunder123 lightning lightning1 phoenix1 phoenix123 dragon12 dragon123 dragon1234 dragonball dragonball1 dragons1
naruto123 narutouzumaki sasuke123 uchiha123 onepiece onepiece1 bleach123 pikachu1 pikachu123 digimon1 sailormoon
hellokitty hellokitty1 kitty123 kittycat kittycat1 kittens1 puppies1 puppylove doggy123 shadow12 shadow123 shadow1234
midnight midnight1 midnight123 moonlight moonlight1 starlight starlight1 stargate stargate1 sunflower sunflower1
flowers1 flower12 flower123 roses123 jasmine12 daisy123 violet123 lavender heather1 heather123 vanessa1 vanessa123
natalie1 natasha1 natasha123 veronika svetlana vladimir nikolai1 alexandr aleksandr ekaterina anastasia anastasia1
tatiana1 marina123 krasotka privet123 parol123 zvezda123 qwertyqwerty qweqweqwe asdasdasd zxczxczxc qwerasdf qazxswedc
qazqazqaz wsxedcrfv 1234567a 1234567q 1234567b 12345abc 12345abcd 123456ab 123456abc 123456aa 1234abcd 123abc123
123456654321 147258369 147852369 159753159 159357258 159357456 741852963 789456123 963852741 951753852 456123789
321321321 789789789 456456456 147147147 159159159 258258258 369369369 135792468 13579246 24681012 246813579 10203040
102030405 11235813 31415926 314159265 27182818 19841984 19851985 19861986 19871987 19881988 19891989 19901990 19911991
19921992 19931993 19941994 19951995 20002000 20102010 20202020 12031990 01011980 01011990 01012000 10101010 01234567
01230123 00112233 11112222 12123434 98765432 9876543210 87654321a 11221122 13131313 21212121 23232323 69696969
420420420 666666666 777777777 888888888 999999999 5555555555 7777777777 8888888888 9999999999 blink182 blink1822
slipknot slipknot1 metallica metallica1 metallica123 nirvana1 nirvana123 linkinpark linkinpark1 greenday greenday1
evanescence ironmaiden ironmaiden1 acdcacdc rockstar rockstar1 rockstar123 rocknroll rocknroll1 guitar12 guitar123
drummer1 musician musicman music123 musicislife hiphop123 eminem123 eminem12 tupac123 50cent50 beatles1 beatles123
elvis123 madonna1 michaeljackson britney1 shakira1 beyonce1 rihanna1 justinbieber onedirection onedirection1
jonasbrothers harrypotter harrypotter1 hogwarts gryffindor slytherin dumbledore hermione voldemort lordoftherings
gandalf1 gandalf123 legolas1 frodo123 gameofthrones winteriscoming valarmorghulis breakingbad walkingdead simpsons
simpsons1 southpark southpark1 spongebob spongebob1 scoobydoo scoobydoo1 garfield garfield1 mickey12 mickey123
mickeymouse minniemouse donaldduck tinkerbell tinkerbell1 peterpan peterpan1 cinderella pocahontas lilostitch
winnie123 whatever whatever1 whatever123 whatsup1 whocares whocares1 nothing1 nothing123 noaccess nomore123 nevermind
nevermind1 goaway123 fuckyou1 fuckyou2 fuckyou12 fuckyou123 fuckyou! fuckoff1 fuckoff123 fuckthis fuckface
motherfucker asshole1 asshole123 bullshit bullshit1 biteme12 biteme123 pussycat pussycat1 pornstar playboy1 playboy123
sexygirl sexygirl1 sexyboy1 sexymama sexylady sexybitch hotstuff hotgirl1 hottie12 hottie123 beautiful beautiful1
beautiful123 gorgeous gorgeous1 precious precious1 sweetheart sweetheart1 sweetpea sweetpea1 sweetie1 sweetie123
darling1 honeybee honey123 babygirl babygirl1 babygirl2 babygirl12 babygirl123 babyboy1 babyboy123 babyblue babydoll
babyface babylove angel123 angel1234 angels12 angelface angeleyes heaven123 heavenly blessed1 blessed123 blessing
faithful forgiven godisgood godisgood1 godislove godbless jesus123 jesus777 jesuschrist jesuslives jesusloves
jesusislord christ123 hallelujah allahuakbar bismillah bismillah786 inshallah mohammad mohammed muhammad krishna1
krishna123 saibaba1 omsairam omsairam1 ganesh123 hanuman1 jaimatadi lakshmi1 india123 india1234 pakistan pakistan1
pakistan123 bangladesh indonesia indonesia1 philippines singapore malaysia vietnam1 thailand australia australia1
newzealand zimbabwe southafrica nigeria1 nigeria123 argentina argentina1 colombia colombia1 venezuela mexico123
brasil123 brazil123 portugal portugal1 espana123 germany1 germany123 deutschland frankfurt hamburg1 hamburg123
berlin123 munchen1 schweiz1 austria1 wien1234 london12 london123 england1 england123 scotland scotland1 ireland1
newyork1 newyork123 losangeles hollywood hollywood1 california california1 florida1 texas123 chicago1 chicago123
boston123 seattle1 toronto1 montreal canada123 paris123 france123 italia123 roma1234 napoli1926 juventus1897 hello123
hello1234 hello12345 hello123! hellohello helloworld helloworld1 helloworld123 goodbye1 goodluck goodluck1 goodtimes
goodmorning goodnight goodgirl happyday happy123 happy1234 happiness happybirthday smile123 smiley12 smiley123
friends1 friends12 friends123 friendship bestfriend bestfriends family12 family123 mother123 mother12 father123
brother1 brother123 sister12 sister123 children grandma1 grandpa1 lovebug1 loverboy lovergirl killer12 killer123
assassin assassin1 hacker123 hackerman terminator terminator1 predator predator1 destroyer warrior1 warrior123
warriors warriors1 soldier1 marines1 military infantry airborne airforce navyseal sniper123 ninja123 samurai1
samurai123 vampire1 vampire123 werewolf zombie123 monster1 monster123 demon666 devil666 satan666 lucifer1 angelus1
mystery1 mystical magic123 magical1 wizard123 merlin123 fantasy1 finalfantasy finalfantasy7 kingdomhearts kingkong
kingston kingston1 princess! queenbee queen123 prince123 emperor1 dragonfly dragonfly1 firefly1 firebird firebird1
fireman1 firefighter police123 doctor123 teacher1 teacher123 student1 student123 school12 school123 college1
college123 university freedom1 freedom123 liberty1 justice1 america1 america123 american1 patriot1 president kennedy1
lincoln1 washington jefferson hamilton franklin franklin1 jackson1 jackson5 jackson123 johnson1 wilson123 anderson
anderson1 thompson williams williams1 campbell mitchell robinson rodriguez gonzalez hernandez sanchez1 ramirez1
qwerty1! qwerty123! qwerty@123 q1w2e3r4! 1q2w3e4r! 1qaz@wsx 1qaz!qaz !qaz2wsx !qaz1qaz !qaz@wsx zaq!2wsx zaq1@wsx
abc@1234 abcd@1234 abc@12345 pass@123 pass@1234 pass@word1 password@1 password@12 password@123 password@1234 test@123
test@1234 user@123 root@123 india@123 welcome@1 welcome@12 admin@12345 a123456! aa123456! aa@123456 qwe@1234 asd@1234
1234567! 12345678! 123456789! 1234567890! 123456aa! 123!@#qwe 123qwe!@# qwe123!@# qwer1234! asdf1234! abcd1234!
!@#$%^&* !@#$%^&*() 1234!@#$ 12345!@#$% asdf!@#$ qwer!@#$ q1w2e3r4t5y6 1a2b3c4d 1a2b3c4d5e 1z2x3c4v z1x2c3v4 a1s2d3f4
a1s2d3f4g5 correcthorsebatterystaple thisisapassword opensesame opensesame1 openup123 knockknock abracadabra
hocuspocus supercalifragilisticexpialidocious letmeinplease ihateyou ihateyou1 imissyou imissyou1 ineedyou iamthebest
iamawesome iamgod123 imthebest youandme youarethebest meandyou mylove123 mylife123 mynameis myname123 mybaby123
myfamily mydog123 mycat123 mymother nintendo64 dontknow dontforget remember remember1 rememberme forgetit forgetme
forgotten yourmom1 yourmom123 yomama123 qwertypoi poiuytrewq poiuytre lkjhgfdsa lkjhgfds mnbvcxz1 0okm9ijn 9ijn8uhb
1234567qwertyu 1qw23er4 12qwaszx zxasqw12 1234rewq 4321rewq qwaszx12 qwaszx123 q1q1q1q1 1q1q1q1q a1a1a1a1 1a1a1a1a
asdasd123 asdzxc123 asd12345 qwe12345 zxc12345 zxc123456 qaz12345 qazwsx12 qazwsx1234 1qazxcvb 3edc4rfv 4rfv5tgb
5tgb6yhn bhu89ijn matrix123 matrix12 neo12345 trinity1 morpheus security security1 security123 securepassword
secure123 firewall network1 network123 server123 database database1 oracle123 postgres postgres1 postgres123 mysql123
mysqlmysql mongodb1 redis123 jenkins1 docker123 kubernetes ubuntu123 debian123 centos123 redhat123 raspberry
raspberrypi vagrant1 ansible1 cisco123 ciscocisco juniper1 fortinet netgear1 netscreen linksys1 wireless wireless1
broadband telephone bluetooth keyboard keyboard1 mousepad monitor1 printer1 scanner1 speakers terminal terminal1
developer developer1 engineer engineer1 manager1 manager123 director secretary marketing accounting finance1 business
business1 company1 company123 office123 office365 support1 support123 helpdesk helpdesk1 service1 service123 customer
customer1 demo1234 demo12345 demodemo demouser example1 example123 sample123 training training1 trainee1 apprentice
intern123 trial123 unknown1 anonymous anonymous1 nobody123 somebody
`
    .trim()
    .split(/\s+/),
)
