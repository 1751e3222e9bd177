//! What two statements are to each other: the same, a contradiction, or two different things. Pure.
//!
//! Vectors say that "two cats" and "three cats" mean nearly the same, so nearness alone decides nothing here. What
//! contradicts is found by form: a negation, another number, or another value of something that has one value at a
//! time (where one lives, works, what one is called, an address, a deadline). The words for that are in tables, for a few
//! languages; in others little is found to contradict, and who keeps a statement may say what it replaces. When in
//! doubt both are kept: a memory too many does less harm than one that is gone.

use super::nearness::Nearness;
use super::tongue::{ELISIONS, ENGLISH, Tongue};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Same,
    /// They cannot both hold now.
    Contradicts,
    Unrelated,
}

/// Of two statements whose words, but for a few, are the same in this part.
const ALIKE: f32 = 0.8;

/// What `new` is to `old`; `cosine` is how near they are, where that was measured.
pub(super) fn relate(new: &str, old: &str, cosine: Option<f32>, nearness: &Nearness) -> Relation {
    let (new_words, old_words) = (words(new), words(old));
    if new_words == old_words {
        return Relation::Same;
    }
    let tongue = Tongue::of(&[&new_words, &old_words]);
    let fillers = [tongue.adverbs, tongue.articles];
    let plain = [tongue.adverbs, tongue.articles, tongue.negations, tongue.beside_negations];
    let (new_core, old_core) = (without(tongue, &new_words, &fillers), without(tongue, &old_words, &fillers));
    if new_core == old_core {
        return Relation::Same;
    }
    let negated = |words: &[String]| words.iter().any(|word| tongue.negations.contains(&word.as_str()));
    let same_sense = negated(&new_words) == negated(&old_words);
    if !same_sense && without(tongue, &new_words, &plain) == without(tongue, &old_words, &plain) {
        return Relation::Contradicts;
    }
    if differ_in_numbers_alone(tongue, &new_core, &old_core) {
        return Relation::Contradicts;
    }
    if same_sense
        && let (Some(new_claim), Some(old_claim)) = (claim(tongue, &new_words), claim(tongue, &old_words))
        && (&new_claim.subject, new_claim.about) == (&old_claim.subject, old_claim.about)
    {
        return if new_claim.value == old_claim.value { Relation::Same } else { Relation::Contradicts };
    }
    // In the same words but one it is another thing that is said: cats are near to dogs.
    if differ_in_one_word(&new_core, &old_core) {
        return Relation::Unrelated;
    }
    let guarded = same_sense
        && numbers(tongue, &new_words) == numbers(tongue, &old_words)
        && names(tongue, new, old) == names(tongue, old, new);
    let near = cosine.is_some_and(|cosine| cosine >= nearness.same);
    let same = guarded && (near || alike(tongue, &new_words, &old_words));
    if same { Relation::Same } else { Relation::Unrelated }
}

/// The stems of what is in none of the lists; numbers as they are.
fn without(tongue: &Tongue, words: &[String], dropped: &[&[&str]]) -> Vec<String> {
    let kept = words.iter().filter(|word| !dropped.iter().any(|list| list.contains(&word.as_str())));
    kept.map(|word| if is_number(tongue, word) { word.clone() } else { stem(word) }).collect()
}

/// Words to look for beside the statement's own: what it may contradict can be said with other ones.
pub(super) fn cues(text: &str) -> &'static str {
    let words = words(text);
    let tongue = Tongue::of(&[&words]);
    let [home, work, age, name] = tongue.cues;
    match claim(tongue, &words).map(|claim| claim.about) {
        Some(About::Home) => home,
        Some(About::Work) => work,
        Some(About::Age) => age,
        Some(About::Name) => name,
        Some(About::Attribute) | None => "",
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    Home,
    Work,
    Age,
    Name,
    /// The subject says which.
    Attribute,
}

/// Something that has one value at a time.
#[derive(Debug, PartialEq)]
struct Claim {
    subject: String,
    about: About,
    value: Vec<String>,
}

fn claim(tongue: &Tongue, words: &[String]) -> Option<Claim> {
    let words: Vec<String> =
        words.iter().filter(|word| !tongue.adverbs.contains(&word.as_str())).cloned().collect();
    home(tongue, &words)
        .or_else(|| work(tongue, &words))
        .or_else(|| age(tongue, &words))
        .or_else(|| attribute(tongue, &words))
}

fn home(tongue: &Tongue, words: &[String]) -> Option<Claim> {
    done_at(tongue, About::Home, words, tongue.living, tongue.places)
}

fn work(tongue: &Tongue, words: &[String]) -> Option<Claim> {
    done_at(tongue, About::Work, words, tongue.working, tongue.employers)
}

/// Somebody does one of `verbs`, with one of `prepositions` right behind it.
fn done_at(
    tongue: &Tongue,
    about: About,
    words: &[String],
    verbs: &[&str],
    prepositions: &[&str],
) -> Option<Claim> {
    let verb = words.iter().position(|word| verbs.contains(&word.as_str()))?;
    // "used to live" held once
    let past = words[..verb].iter().any(|word| tongue.past.contains(&word.as_str()));
    let follows = words.get(verb + 1).is_some_and(|word| prepositions.contains(&word.as_str()));
    (!past && follows).then_some(())?;
    let mut subject = subject(tongue, &words[..verb]);
    if subject.is_empty() {
        let said_by_verb = tongue.persons.iter().find(|(known, _)| *known == words[verb]);
        subject = said_by_verb.map(|(_, person)| (*person).to_owned())?;
    }
    value_of(tongue, about, subject, &words[verb + 2..])
}

fn age(tongue: &Tongue, words: &[String]) -> Option<Claim> {
    let at = |sign: &&[&str]| {
        let at = words.windows(sign.len()).position(|window| window.iter().eq(sign.iter()))?;
        (at > 0).then_some(at)
    };
    let years = tongue.age.iter().find_map(at)?;
    value_of(tongue, About::Age, subject(tongue, &words[..years - 1]), &words[years - 1..years])
}

fn attribute(tongue: &Tongue, words: &[String]) -> Option<Claim> {
    let begins =
        |lead: &&&[&str]| words.len() > lead.len() && words.iter().zip(lead.iter()).all(|(a, b)| a == b);
    if let Some(lead) = tongue.called.iter().find(begins) {
        return value_of(tongue, About::Name, "i".to_owned(), &words[lead.len()..]);
    }
    let copula = words.iter().position(|word| tongue.copulas.contains(&word.as_str()))?;
    let before = &words[..copula];
    let owned = before.first().is_some_and(|word| tongue.owners.contains(&word.as_str()))
        || before.iter().any(|word| word.ends_with("'s"));
    let one_of_a_kind = before.iter().any(|word| tongue.foremost.contains(&word.as_str()))
        || before.last().is_some_and(|word| tongue.attributes.contains(&word.as_str()));
    (owned && one_of_a_kind && before.len() <= 7).then_some(())?;
    if tongue.own_name.iter().any(|name| before.iter().eq(name.iter())) {
        return value_of(tongue, About::Name, "i".to_owned(), &words[copula + 1..]);
    }
    value_of(tongue, About::Attribute, before.join(" "), &words[copula + 1..])
}

fn value_of(tongue: &Tongue, about: About, subject: String, value: &[String]) -> Option<Claim> {
    let value: Vec<String> = value.iter().filter(|word| !is_filler(tongue, word)).cloned().collect();
    (!value.is_empty() && !subject.is_empty()).then_some(Claim { subject, about, value })
}

/// Who it is about, without auxiliaries.
fn subject(tongue: &Tongue, words: &[String]) -> String {
    let kept = words.iter().map(String::as_str);
    let kept: Vec<&str> =
        kept.filter(|word| !tongue.auxiliaries.contains(word) && !is_filler(tongue, word)).collect();
    kept.join(" ")
}

fn is_filler(tongue: &Tongue, word: &str) -> bool {
    tongue.adverbs.contains(&word) || tongue.articles.contains(&word)
}

/// Lower case, contractions in full, and whoever a model calls "the user" as they call themselves.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.to_lowercase().replace('’', "'").split_whitespace() {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        match word {
            "" => {}
            "i'm" => words.extend(["i".to_owned(), "am".to_owned()]),
            "can't" | "cannot" => words.extend(["can".to_owned(), "not".to_owned()]),
            "won't" => words.extend(["will".to_owned(), "not".to_owned()]),
            _ => match (word.strip_suffix("n't"), word.strip_suffix("'ve"), elided(word)) {
                (Some(verb), _, _) => words.extend([verb.to_owned(), "not".to_owned()]),
                (_, Some(subject), _) => words.extend([subject.to_owned(), "have".to_owned()]),
                (_, _, Some((first, rest))) => words.extend([first.to_owned(), rest.to_owned()]),
                _ => words.push(word.to_owned()),
            },
        }
    }
    for lead in [&["remember", "that"][..], &["note", "that"], &["remember"], &["please", "remember", "that"]]
    {
        if words.len() > lead.len() && words.iter().zip(lead).all(|(word, lead)| word == lead) {
            words.drain(..lead.len());
            break;
        }
    }
    as_the_person_says(words)
}

/// Two words that are written as one.
fn elided(word: &str) -> Option<(&'static str, &str)> {
    let (short, first) = ELISIONS.iter().find(|(short, _)| word.starts_with(short))?;
    word.strip_prefix(short).filter(|rest| !rest.is_empty()).map(|rest| (*first, rest))
}

fn as_the_person_says(mut words: Vec<String>) -> Vec<String> {
    if words.first().is_some_and(|word| word == "the")
        && words.get(1).is_some_and(|word| word.starts_with("user"))
    {
        words.remove(0);
    }
    match words.first_mut() {
        Some(first) if first == "user" => "i".clone_into(first),
        Some(first) if first == "user's" => "my".clone_into(first),
        _ => {}
    }
    words
}

fn stem(word: &str) -> String {
    let cut = word.strip_suffix("ies").map(|stem| format!("{stem}y"));
    cut.or_else(|| {
        word.strip_suffix('s').filter(|stem| stem.len() > 2 && !stem.ends_with('s')).map(str::to_owned)
    })
    .unwrap_or_else(|| word.to_owned())
}

/// Says how many or which: a name with a number in it, `gpt-4`, is a name.
fn is_number(tongue: &Tongue, word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit()) || tongue.numbers.contains(&word)
}

/// All that is told from others by a number, names too.
fn numbers<'a>(tongue: &Tongue, words: &'a [String]) -> Vec<&'a str> {
    let is_numbered = |word: &str| word.contains(|c: char| c.is_ascii_digit()) || is_number(tongue, word);
    words.iter().map(String::as_str).filter(|word| is_numbered(word)).collect()
}

fn differ_in_numbers_alone(tongue: &Tongue, new: &[String], old: &[String]) -> bool {
    let is_another = |at: usize| {
        is_number(tongue, &new[at]) && is_number(tongue, &old[at]) && !names_a_thing(tongue, new, at)
    };
    new.len() == old.len()
        && new.len() > 2
        && new.iter().zip(old).enumerate().all(|(at, (a, b))| a == b || is_another(at))
}

/// Whether the number there says which thing it is about, and not how many there are: then a verb or a word
/// between others comes right behind it, as in "room 12 has". Of stems.
fn names_a_thing(tongue: &Tongue, words: &[String], number: usize) -> bool {
    let lists = [tongue.stop_words, tongue.copulas, tongue.auxiliaries, tongue.living, tongue.working];
    let follows = words.get(number + 1);
    follows.is_some_and(|next| lists.iter().flat_map(|list| list.iter()).any(|known| stem(known) == *next))
}

fn differ_in_one_word(new: &[String], old: &[String]) -> bool {
    new.len() == old.len() && new.iter().zip(old).filter(|(a, b)| a != b).count() == 1
}

/// Words that are written as names. The first word is so anyway: it is one where the other text does not have it.
fn names(tongue: &Tongue, text: &str, other: &str) -> Vec<String> {
    let bare =
        |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).trim_end_matches("'s").to_owned();
    let is_capital = |word: &String| {
        word.chars().next().is_some_and(char::is_uppercase) && word != "I" && !word.starts_with("I'")
    };
    let begins_plainly = |word: &str| {
        let word = word.to_lowercase();
        let lists = |tongue: &Tongue| {
            let lists =
                [tongue.stop_words, tongue.adverbs, tongue.articles, tongue.beginnings, tongue.owners];
            lists.iter().any(|list| list.contains(&word.as_str()))
        };
        // Names of things and names among them are often English, whatever is said of them.
        let plain = lists(tongue) || lists(&ENGLISH);
        plain || other.split_whitespace().any(|other| bare(other).to_lowercase() == word)
    };
    let mut names: Vec<String> = text
        .split_whitespace()
        .map(bare)
        .enumerate()
        .filter(|(place, word)| is_capital(word) && (*place > 0 || !begins_plainly(word)))
        .map(|(_, word)| word.to_lowercase())
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Whether nearly the same words stand in the same order.
fn alike(tongue: &Tongue, new: &[String], old: &[String]) -> bool {
    let content = |words: &[String]| -> Vec<String> {
        let telling = words.iter().map(String::as_str);
        telling
            .filter(|word| !tongue.stop_words.contains(word) && !is_filler(tongue, word))
            .map(stem)
            .collect()
    };
    let (new, old) = (content(new), content(old));
    let (shorter, longer) = (new.len().min(old.len()), new.len().max(old.len()));
    shorter >= 3 && common(&new, &old) as f32 >= ALIKE * longer as f32
}

/// The length of the longest common subsequence.
fn common(a: &[String], b: &[String]) -> usize {
    let mut row = vec![0; b.len() + 1];
    for one in a {
        let mut diagonal = 0;
        for (at, other) in b.iter().enumerate() {
            let above = row[at + 1];
            row[at + 1] = if one == other { diagonal + 1 } else { above.max(row[at]) };
            diagonal = above;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_words(new: &str, old: &str) -> Relation {
        relate(new, old, None, &Nearness::UNKNOWN)
    }

    fn near(new: &str, old: &str) -> Relation {
        relate(new, old, Some(0.99), &Nearness::UNKNOWN)
    }

    #[test]
    fn another_value_of_what_has_one_contradicts() {
        for (old, new) in [
            ("I live in Porto", "I live in Lisbon"),
            ("I live in Porto.", "I recently moved to Lisbon."),
            ("The user lives in Porto", "I now live in Lisbon"),
            ("My favourite colour is blue", "My favourite colour is green"),
            ("My name is Ada", "I'm called Grace"),
            ("Ada's birthday is on 3 May", "Ada's birthday is on 4 May"),
            ("I work at the post office", "I work for the railway"),
            ("I am 41 years old", "I am 42 years old"),
            ("I eat meat", "I don't eat meat"),
            ("I eat meat", "I no longer eat meat"),
            ("She eats fish", "She does not eat fish"),
            ("We have two cats", "We have three cats"),
            ("The deadline is Friday", "The deadline is next Monday"),
        ] {
            assert_eq!(near(new, old), Relation::Contradicts, "{old} / {new}");
            assert_eq!(by_words(new, old), Relation::Contradicts, "{old} / {new}");
        }
    }

    #[test]
    fn what_differs_in_a_name_or_a_number_is_never_one_however_near() {
        for (old, new) in [
            ("I lived in Porto", "I live in Lisbon"),
            ("I used to live in Porto", "I live in Lisbon"),
            ("Ada lives in Porto", "I live in Lisbon"),
            ("I live in Lisbon", "I work in Porto"),
            ("I speak German", "I speak Portuguese"),
            ("Ada is my sister", "Grace is my sister"),
            ("Meet Ada on Tuesday about the lease", "Meet Grace on Tuesday about the lease"),
            ("The train leaves at 9", "The train is late"),
            ("I like cats", "I like dogs"),
            ("My sister is a teacher", "My brother is a teacher"),
        ] {
            assert_eq!(near(new, old), Relation::Unrelated, "{old} / {new}");
            assert_eq!(by_words(new, old), Relation::Unrelated, "{old} / {new}");
        }
    }

    #[test]
    fn a_number_that_names_a_thing_does_not_contradict_another() {
        for (old, new) in [
            ("Invoice 1001 is paid", "Invoice 1002 is paid"),
            ("Room 12 has 3 windows", "Room 14 has 3 windows"),
            ("Room 12 has 3 windows", "Room 14 has 4 windows"),
            ("I use GPT-3 at work", "I use GPT-4 at work"),
            ("I use gpt-3 and claude-2", "I use gpt-4 and claude-3"),
            ("Zimmer 12 hat 3 Fenster", "Zimmer 14 hat 3 Fenster"),
            ("La facture 1001 est payée", "La facture 1002 est payée"),
            ("La factura 1001 está pagada", "La factura 1002 está pagada"),
        ] {
            assert_eq!(near(new, old), Relation::Unrelated, "{old} / {new}");
            assert_eq!(by_words(new, old), Relation::Unrelated, "{old} / {new}");
        }
        assert_eq!(by_words("Room 12 has 4 windows", "Room 12 has 3 windows"), Relation::Contradicts);
    }

    #[test]
    fn what_can_both_hold_is_kept_beside_one_another() {
        for (old, new) in [
            ("I like tea", "I like coffee"),
            ("My car is red", "My car is fast"),
            ("I gave Ada a red bicycle yesterday", "Ada gave me a red bicycle yesterday evening"),
            ("The office is closed on Monday", "The office is in Lisbon"),
        ] {
            assert_eq!(by_words(new, old), Relation::Unrelated, "{old} / {new}");
        }
    }

    #[test]
    fn german_french_and_spanish_contradict_themselves_as_english_does() {
        for (old, new) in [
            ("Ich wohne in Porto", "Ich wohne jetzt in Lissabon"),
            ("Ich lebe in Porto.", "Ich wohne in Lissabon."),
            ("Ich arbeite bei der Post", "Ich arbeite für die Bahn"),
            ("Ich esse Fleisch", "Ich esse kein Fleisch"),
            ("Ich esse Fleisch", "Ich esse kein Fleisch mehr"),
            ("Sie fährt Auto", "Sie fährt nicht Auto"),
            ("Wir haben zwei Katzen", "Wir haben drei Katzen"),
            ("Ich bin 41 Jahre alt", "Ich bin 42 Jahre alt"),
            ("Meine Lieblingsfarbe ist Blau", "Meine Lieblingsfarbe ist Grün"),
            ("Mein Name ist Ada", "Ich heiße Grace"),
            ("Mein Geburtstag ist am 3. Mai", "Mein Geburtstag ist am 4. Mai"),
            ("J'habite à Porto", "J'habite maintenant à Lisbonne"),
            ("Je vis à Porto", "J’habite à Lisbonne"),
            ("Je travaille chez Renault", "Je travaille pour la poste"),
            ("Je mange de la viande", "Je ne mange pas de viande"),
            ("Je mange de la viande", "Je ne mange plus de viande"),
            ("Nous avons deux chats", "Nous avons trois chats"),
            ("J'ai 41 ans", "J'ai 42 ans"),
            ("Ma couleur préférée est le bleu", "Ma couleur préférée est le vert"),
            ("Mon prénom est Ada", "Je m'appelle Grace"),
            ("L'adresse est 3 rue Haute", "L'adresse est 8 rue Basse"),
            ("Vivo en Porto", "Ahora vivo en Lisboa"),
            ("Yo vivo en Porto", "Vivo en Lisboa"),
            ("Trabajo para Correos", "Trabajo para Renfe"),
            ("Como carne", "No como carne"),
            ("Como carne", "Ya no como carne"),
            ("Tenemos dos gatos", "Tenemos tres gatos"),
            ("Tengo 41 años", "Tengo 42 años"),
            ("Mi color favorito es el azul", "Mi color favorito es el verde"),
            ("Mi nombre es Ada", "Me llamo Grace"),
            ("El plazo es el viernes", "El plazo es el lunes"),
        ] {
            assert_eq!(near(new, old), Relation::Contradicts, "{old} / {new}");
            assert_eq!(by_words(new, old), Relation::Contradicts, "{old} / {new}");
        }
    }

    #[test]
    fn what_can_both_hold_stays_in_every_language() {
        for (old, new) in [
            ("Ich wohnte in Porto", "Ich wohne in Lissabon"),
            ("Ada wohnt in Porto", "Ich wohne in Lissabon"),
            ("Ich wohne in Lissabon", "Ich arbeite in Porto"),
            ("Ich spreche Deutsch", "Ich spreche Portugiesisch"),
            ("Ich mag Tee", "Ich mag Kaffee"),
            ("Mein Auto ist rot", "Mein Auto ist schnell"),
            ("Meine Schwester ist Lehrerin", "Mein Bruder ist Lehrer"),
            ("Ich will mehr Zeit", "Ich will Zeit"),
            ("Der Zug fährt um 9", "Der Zug ist verspätet"),
            ("Das Büro ist montags geschlossen", "Das Büro ist in Lissabon"),
            ("J'habitais à Porto", "J'habite à Lisbonne"),
            ("Ada habite à Porto", "J'habite à Lisbonne"),
            ("J'habite en France", "J'habite à Paris"),
            ("Je travaille à Paris", "Je travaille chez Renault"),
            ("J'ai 41 ans", "J'ai 3 ans d'expérience"),
            ("J'aime le thé", "J'aime le café"),
            ("Ma voiture est rouge", "Ma voiture est rapide"),
            ("Je parle allemand", "Je parle portugais"),
            ("Le bureau est fermé le lundi", "Le bureau est à Lisbonne"),
            ("Vivía en Porto", "Vivo en Lisboa"),
            ("Ada vive en Porto", "Vivo en Lisboa"),
            ("Trabajo en Madrid", "Trabajo para Correos"),
            ("Me gusta el té", "Me gusta el café"),
            ("Mi coche es rojo", "Mi coche es rápido"),
            ("Hablo alemán", "Hablo portugués"),
            ("Tengo 41 años", "Tengo 3 años de experiencia"),
            ("La oficina está cerrada los lunes", "La oficina está en Lisboa"),
            ("Ich wohne in Porto", "I live in Lisbon"),
            ("J'habite à Porto", "Vivo en Lisboa"),
            ("My favourite colour is blue", "Meine Lieblingsfarbe ist Grün"),
            ("The bus is longer than the tram", "The bus is late"),
        ] {
            assert_eq!(by_words(new, old), Relation::Unrelated, "{old} / {new}");
        }
    }

    #[test]
    fn what_is_said_again_is_one_in_every_language() {
        for (old, new) in [
            ("Ich wohne in Lissabon", "Ich wohne derzeit in Lissabon."),
            ("Ich lebe in Lissabon", "Ich wohne jetzt in Lissabon"),
            ("J'habite à Lisbonne", "J’habite actuellement à Lisbonne."),
            ("Vivo en Lisboa", "Ahora vivo en Lisboa."),
            ("Mi color favorito es azul", "Mi color favorito es el azul"),
        ] {
            assert_eq!(by_words(new, old), Relation::Same, "{old} / {new}");
        }
    }

    #[test]
    fn the_same_in_nearly_the_same_words_is_one() {
        for (old, new) in [
            ("I live in Lisbon", "I live in Lisbon."),
            ("I live in Lisbon", "The user currently lives in Lisbon"),
            ("My favourite colour is blue", "my favourite colour is blue!"),
            ("We have two cats", "We still have two cats"),
            ("Remember that I prefer short answers", "I prefer short answers"),
            ("Invoices go out on the last working day", "The invoices go out on the last working day"),
        ] {
            assert_eq!(by_words(new, old), Relation::Same, "{old} / {new}");
        }
        assert_eq!(near("My home is near the sea", "I have a house by the sea"), Relation::Same);
        assert_eq!(by_words("My home is near the sea", "I have a house by the sea"), Relation::Unrelated);
    }
}
