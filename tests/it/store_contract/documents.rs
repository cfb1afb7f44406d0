//! Canary configs and other documents.

use std::sync::Arc;

use coalmine::store::{Document, DocumentKind, PutRule, Store, StoreError};

super::for_every_store![
    a_document_is_kept_to_the_last_byte_and_replaced_as_a_whole,
    a_document_is_made_once_and_only_what_is_there_is_replaced,
    two_configs_of_an_application_never_have_the_same_name,
    of_many_configs_with_one_name_at_once_one_is_kept,
    a_config_keeps_its_own_name_and_a_name_that_is_free_again_can_be_taken,
    a_list_has_all_of_a_kind_by_id_without_bodies,
    a_deleted_document_is_gone,
];

type AnyStore = Arc<dyn Store>;

const CONFIG: DocumentKind = DocumentKind::CanaryConfig;

fn document(id: &str, name: &str, applications: &[&str]) -> Document {
    Document {
        kind: CONFIG,
        id: id.to_owned(),
        name: name.to_owned(),
        applications: applications.iter().map(|it| (*it).to_owned()).collect(),
        created_ms: 1,
        updated_ms: 2,
        body: format!("{{\"name\":\"{name}\",\"text\":\"it's – ü\\n\"}}"),
    }
}

async fn create(store: &AnyStore, document: &Document) -> Result<(), StoreError> {
    store.put_document(document, PutRule::Create).await
}

async fn a_document_is_kept_to_the_last_byte_and_replaced_as_a_whole(store: AnyStore) {
    let first = document("1", "n", &["shop", "pay", "shop", "it's"]);
    create(&store, &first).await.unwrap();
    assert_eq!(store.document(CONFIG, "1").await.unwrap(), Some(first));
    let second = Document {
        created_ms: -4,
        updated_ms: i64::MAX,
        ..document("1", "m", &[])
    };
    store.put_document(&second, PutRule::Replace).await.unwrap();
    assert_eq!(store.document(CONFIG, "1").await.unwrap(), Some(second));
    assert_eq!(store.document(CONFIG, "2").await.unwrap(), None);
    let other = store.document(DocumentKind::CanaryArchive, "1").await;
    assert_eq!(other.unwrap(), None);
}

async fn a_document_is_made_once_and_only_what_is_there_is_replaced(store: AnyStore) {
    let first = document("1", "n", &["shop"]);
    let error = store.put_document(&first, PutRule::Replace).await;
    assert_eq!(
        error.unwrap_err().to_string(),
        "there is no canary config `1`"
    );
    create(&store, &first).await.unwrap();
    let error = create(&store, &document("1", "m", &["pay"])).await;
    let error = error.unwrap_err().to_string();
    assert_eq!(error, "the canary config `1` exists already");
    assert_eq!(store.document(CONFIG, "1").await.unwrap(), Some(first));
}

async fn two_configs_of_an_application_never_have_the_same_name(store: AnyStore) {
    let first = document("1", "n", &["shop", "pay"]);
    create(&store, &first).await.unwrap();
    let error = create(&store, &document("2", "n", &["web", "pay"])).await;
    let error = error.unwrap_err();
    let StoreError::NameTaken { name, applications } = &error else {
        panic!("{error:?}");
    };
    assert_eq!((name.as_str(), applications), ("n", &first.applications));
    assert_eq!(store.document(CONFIG, "2").await.unwrap(), None);
    // Another application, another name, no name, no application, or another kind: each is fine.
    create(&store, &document("2", "n", &["web"])).await.unwrap();
    create(&store, &document("3", "N", &["shop"]))
        .await
        .unwrap();
    create(&store, &document("4", "", &["shop"])).await.unwrap();
    create(&store, &document("5", "", &["shop"])).await.unwrap();
    create(&store, &document("6", "n", &[])).await.unwrap();
    let list = Document {
        kind: DocumentKind::MetricSetList,
        ..document("7", "n", &["shop"])
    };
    create(&store, &list).await.unwrap();
    create(
        &store,
        &Document {
            id: "8".to_owned(),
            ..list
        },
    )
    .await
    .unwrap();
}

async fn of_many_configs_with_one_name_at_once_one_is_kept(store: AnyStore) {
    let mut tasks = Vec::new();
    for number in 0..8 {
        let store = Arc::clone(&store);
        tasks.push(tokio::spawn(async move {
            create(&store, &document(&number.to_string(), "n", &["shop"]))
                .await
                .is_ok()
        }));
    }
    let mut kept = 0;
    for task in tasks {
        kept += u32::from(task.await.unwrap());
    }
    assert_eq!(kept, 1);
    assert_eq!(store.documents(CONFIG, &[]).await.unwrap().len(), 1);
}

async fn a_config_keeps_its_own_name_and_a_name_that_is_free_again_can_be_taken(store: AnyStore) {
    let first = document("1", "n", &["shop"]);
    create(&store, &first).await.unwrap();
    create(&store, &document("2", "m", &["shop"]))
        .await
        .unwrap();
    store.put_document(&first, PutRule::Replace).await.unwrap();
    let taken = document("2", "n", &["shop"]);
    let error = store.put_document(&taken, PutRule::Replace).await;
    assert!(matches!(error, Err(StoreError::NameTaken { .. })));
    let renamed = document("1", "o", &["shop"]);
    store
        .put_document(&renamed, PutRule::Replace)
        .await
        .unwrap();
    store.put_document(&taken, PutRule::Replace).await.unwrap();
    // An application that was left is free as well.
    let moved = document("2", "n", &["pay"]);
    store.put_document(&moved, PutRule::Replace).await.unwrap();
    create(&store, &document("3", "n", &["shop"]))
        .await
        .unwrap();
}

async fn a_list_has_all_of_a_kind_by_id_without_bodies(store: AnyStore) {
    for (id, applications) in [
        ("b", &["shop", "pay"][..]),
        ("a", &["pay"]),
        ("c", &[]),
        ("B", &["web", "shop"]),
    ] {
        create(&store, &document(id, id, applications))
            .await
            .unwrap();
    }
    let list = Document {
        kind: DocumentKind::MetricSetPairList,
        ..document("d", "", &["shop"])
    };
    create(&store, &list).await.unwrap();
    for (applications, expected) in [
        (&[][..], &["B", "a", "b", "c"][..]),
        (&["shop"], &["B", "b"]),
        (&["pay", "shop", "pay"], &["B", "a", "b"]),
        (&["other"], &[]),
    ] {
        let applications: Vec<String> = applications.iter().map(|it| (*it).to_owned()).collect();
        let found = store.documents(CONFIG, &applications).await.unwrap();
        let ids: Vec<&str> = found.iter().map(|it| it.id.as_str()).collect();
        assert_eq!(ids, expected, "{applications:?}");
        for one in found {
            let whole = store.document(CONFIG, &one.id).await.unwrap().unwrap();
            let body = String::new();
            assert_eq!(one, Document { body, ..whole });
        }
    }
}

async fn a_deleted_document_is_gone(store: AnyStore) {
    let first = document("1", "n", &["shop"]);
    create(&store, &first).await.unwrap();
    let error = store
        .delete_document(DocumentKind::MetricSetList, "1")
        .await;
    let error = error.unwrap_err().to_string();
    assert_eq!(error, "there is no metric set list `1`");
    store.delete_document(CONFIG, "1").await.unwrap();
    assert_eq!(store.document(CONFIG, "1").await.unwrap(), None);
    assert!(
        store
            .documents(CONFIG, &["shop".to_owned()])
            .await
            .unwrap()
            .is_empty()
    );
    assert!(store.delete_document(CONFIG, "1").await.is_err());
    create(&store, &document("2", "n", &["shop"]))
        .await
        .unwrap();
}
