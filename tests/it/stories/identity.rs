//! Which folder is which account: a commit cannot turn one into another.

use super::Play;
use super::files::{account, company, path};

#[tokio::test]
async fn a_folder_that_records_another_folders_account_reaches_neither() {
    let play = Play::begin(&company(&["alpha", "beta"])).await;
    play.settled(&["alpha", "beta"]).await;
    let beta = play.id("beta");
    let (writes, policy) = (play.writes_in(&beta), play.password_length("beta"));
    let taken = format!(
        "id: \"{beta}\"\n{}settings: {{passwordPolicy: {{minimumLength: 20}}}}\n",
        account("alpha", "")
    );
    play.commit("Take beta over", &[(&path("alpha"), Some(taken))]);
    play.looks(4).await;
    play.rest().await;
    assert_eq!((play.writes_in(&beta), play.password_length("beta")), (writes, policy));
    assert_eq!(play.password_length("alpha"), Some(14), "nor is it written under a doubtful id");

    play.commit("Give it back", &[(&path("alpha"), Some(account("alpha", "")))]);
    play.rest().await;
    play.end().await;
}

#[tokio::test]
async fn two_folders_that_swap_their_accounts_write_to_neither() {
    let play = Play::begin(&company(&["alpha", "beta"])).await;
    play.settled(&["alpha", "beta"]).await;
    let (alpha, beta) = (play.id("alpha"), play.id("beta"));
    let recorded = |slug: &str, id: &str, more: &str| Some(format!("id: \"{id}\"\n{}", account(slug, more)));
    let files = [(path("alpha"), recorded("alpha", &alpha, "")), (path("beta"), recorded("beta", &beta, ""))];
    play.commit("Record both", &files.each_ref().map(|(path, file)| (path.as_str(), file.clone())));
    play.rest().await;
    let writes = play.writes().len();
    let longer = "settings: {passwordPolicy: {minimumLength: 20}}\n";
    let swapped =
        [(path("alpha"), recorded("alpha", &beta, longer)), (path("beta"), recorded("beta", &alpha, longer))];
    play.commit("Swap both", &swapped.each_ref().map(|(path, file)| (path.as_str(), file.clone())));
    play.looks(4).await;
    play.rest().await;
    assert_eq!(play.writes().len(), writes, "{:?}", play.writes().last());

    play.commit("Swap back", &files.each_ref().map(|(path, file)| (path.as_str(), file.clone())));
    play.rest().await;
    play.end().await;
}
